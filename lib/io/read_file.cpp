#include "io/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace p2pa::io {
namespace {

std::unexpected<Error> io_error(const char* why) {
  return fail(Code::kIo, why, static_cast<std::uint64_t>(errno));
}

Result<Bytes> read_all(int fd, std::size_t size_max) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return io_error("cannot look at the file");
  if (!S_ISREG(about.st_mode)) return fail(Code::kInvalidArgument, "not a regular file");
  Bytes out;
  std::array<std::uint8_t, 16'384> piece;
  for (;;) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot read the file");
    if (n == 0) return out;
    if (static_cast<std::size_t>(n) > size_max - out.size()) {
      return fail(Code::kMessageTooLarge, "the file is too large", size_max);
    }
    out.insert(out.end(), piece.begin(), piece.begin() + n);
  }
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t size_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would make us wait
  if (fd < 0) return io_error("cannot open the file");
  auto out = read_all(fd, size_max);
  ::close(fd);
  return out;
}

}  // namespace p2pa::io
