// A key file is the PrivateKey protobuf as it is (docs/wire/key-file.md).

#include "p2pagents/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/assert.hpp"
#include "crypto/secret_bytes.hpp"
#include "io/entropy.hpp"

namespace p2pa {
namespace {

/// The longest protobuf we read has 100 bytes; a file over this is none of ours.
constexpr std::size_t kKeyFileBytesMax = 256;

std::unexpected<Error> refused(const char* why) {
  return fail(Code::kIo, why, static_cast<std::uint64_t>(errno));
}

/// Are the bytes one `Type`, then one `Data` that reaches to the end, each in its shortest form?
/// A protobuf may repeat its fields and have others; a key file has one key and nothing else.
bool only_a_key(ByteView bytes) {
  constexpr std::size_t kDataBytesMax = 127;  // its length is one byte
  if (bytes.size() < 4 || bytes.size() - 4 > kDataBytesMax) return false;
  const std::array<std::uint8_t, 4> head{0x08, 0x01, 0x12, static_cast<std::uint8_t>(bytes.size() - 4)};
  return std::ranges::equal(bytes.first(4), head);
}

/// An open descriptor.
class File {
 public:
  File(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  /// Up to the end or until `out` is full.
  Result<std::size_t> read(MutableBytes out) {
    std::size_t size = 0;
    while (size < out.size()) {
      const ssize_t n = ::read(fd_, out.data() + size, out.size() - size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return refused("cannot read the key file");
      if (n == 0) break;
      size += static_cast<std::size_t>(n);
    }
    return size;
  }

  /// All of it, down to the disk.
  Result<void> write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return refused("cannot write the key file");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    if (::fsync(fd_) != 0) return refused("cannot write the key file to disk");
    return {};
  }

 private:
  int fd_;
};

/// A name beside `path` that nobody else has.
Result<std::string> temporary_name(const std::string& path) {
  std::array<std::uint8_t, 8> random;
  if (auto filled = io::fill_entropy(random); !filled) return std::unexpected(filled.error());
  std::string out = path + ".tmp-";
  for (const std::uint8_t byte : random) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

/// Gives the file its name, unless the name is taken. A link does that everywhere but on file
/// systems without links.
Result<void> give_name(const std::string& temporary, const std::string& path) {
  if (::link(temporary.c_str(), path.c_str()) == 0) {
    ::unlink(temporary.c_str());
    return {};
  }
#ifdef SYS_renameat2
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
    constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE
    if (::syscall(SYS_renameat2, AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(),
                  kNoReplace) == 0) {
      return {};
    }
  }
#endif
  if (errno == EEXIST) return fail(Code::kInvalidState, "a file of this name exists already");
  return refused("cannot give the key file its name");
}

/// A crash right after must not lose the name. Not every file system can; then it has no need to.
void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File opened(folder, O_RDONLY | O_DIRECTORY);
  if (opened.is_open()) ::fsync(opened.fd());
}

Result<void> write_new_file(ByteView bytes, const std::string& path) {
  auto temporary = temporary_name(path);
  if (!temporary) return std::unexpected(temporary.error());
  Result<void> written;
  {
    File file(*temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (!file.is_open()) return refused("cannot make the key file");
    written = file.write(bytes);
  }
  if (written) written = give_name(*temporary, path);
  if (!written) {
    ::unlink(temporary->c_str());
    return written;
  }
  sync_folder_of(path);
  return {};
}

}  // namespace

KeyPair generate_key() {
  std::array<std::uint8_t, KeyPair::kSeedSize> seed;
  const auto filled = io::fill_entropy(seed);
  P2PA_ASSERT(filled.has_value());  // a key without entropy must not exist
  KeyPair out = KeyPair::from_seed(seed);
  crypto::wipe(seed);
  return out;
}

Result<KeyPair> load_key_file(const std::string& path) {
  // O_NONBLOCK: what is no plain file, a pipe for example, must not make us wait.
  File file(path, O_RDONLY | O_NONBLOCK);
  if (!file.is_open() && (errno == ENOENT || errno == ENOTDIR)) {
    return fail(Code::kNotFound, "there is no key file");
  }
  if (!file.is_open()) return refused("cannot open the key file");
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return refused("cannot look at the key file");
  if (!S_ISREG(info.st_mode)) return fail(Code::kBadKeyFile, "the key file is not a plain file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Code::kBadKeyFile, "the key file is open to others: its mode must be 0600");
  }
  std::array<std::uint8_t, kKeyFileBytesMax> bytes;
  const auto size = file.read(bytes);
  if (!size) return std::unexpected(size.error());
  const ByteView content = ByteView(bytes).first(*size);
  auto key = KeyPair::from_protobuf(content);
  const bool good = key && only_a_key(content);
  crypto::wipe(bytes);
  if (!good) return fail(Code::kBadKeyFile, "the key file is damaged, or no Ed25519 key file");
  return key;
}

Result<void> save_key_file(const KeyPair& key, const std::string& path) {
  Bytes bytes = key.to_protobuf();
  auto written = write_new_file(bytes, path);
  crypto::wipe(bytes);
  return written;
}

Result<KeyPair> load_or_create_key_file(const std::string& path) {
  auto loaded = load_key_file(path);
  if (loaded || loaded.error().code != Code::kNotFound) return loaded;
  KeyPair fresh = generate_key();
  if (auto saved = save_key_file(fresh, path); !saved) {
    // Another process was faster: both use its key.
    if (saved.error().code == Code::kInvalidState) return load_key_file(path);
    return std::unexpected(saved.error());
  }
  return fresh;
}

}  // namespace p2pa
