#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "p2pagents/key_file.hpp"
#include "temporary_folder.hpp"

namespace p2pa::io {
namespace {

Bytes contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const Bytes& bytes, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

KeyPair known_key() { return KeyPair::from_seed(Bytes(KeyPair::kSeedSize, 7)); }

Code code_of_load(const std::string& path) {
  const auto key = load_key_file(path);
  return key ? Code::kOk : key.error().code;
}

TEST_CASE("a saved key is loaded as the same identity") {
  const TemporaryFolder folder;
  const KeyPair key = generate_key();
  REQUIRE(save_key_file(key, folder / "key").has_value());
  const auto loaded = load_key_file(folder / "key");
  REQUIRE(loaded.has_value());
  CHECK(loaded->peer_id() == key.peer_id());
  CHECK(loaded->sign(as_bytes("x")) == key.sign(as_bytes("x")));
}

TEST_CASE("generated keys differ") { CHECK(generate_key().peer_id() != generate_key().peer_id()); }

TEST_CASE("a key file is the PrivateKey protobuf and nothing else") {
  const TemporaryFolder folder;
  REQUIRE(save_key_file(known_key(), folder / "key").has_value());
  const Bytes bytes = contents(folder / "key");
  CHECK(bytes == known_key().to_protobuf());
  REQUIRE(bytes.size() == 68);
  CHECK(Bytes(bytes.begin(), bytes.begin() + 4) == Bytes{0x08, 0x01, 0x12, 0x40});
  CHECK(Bytes(bytes.begin() + 4, bytes.begin() + 36) == Bytes(32, 7));
}

TEST_CASE("a key file is for its owner alone, whatever the umask, and leaves nothing beside it") {
  const mode_t mask = GENERATE(as<mode_t>{}, 0, 0022, 0077);
  const TemporaryFolder folder;
  const mode_t before = ::umask(mask);
  const auto saved = save_key_file(known_key(), folder / "key");
  ::umask(before);
  REQUIRE(saved.has_value());
  struct stat info {};
  REQUIRE(::stat((folder / "key").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(info.st_nlink == 1);
  CHECK(folder.count() == 1);
}

TEST_CASE("load_or_create makes a key once and finds it again") {
  const TemporaryFolder folder;
  const auto first = load_or_create_key_file(folder / "key");
  const auto second = load_or_create_key_file(folder / "key");
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(first->peer_id() == second->peer_id());
}

TEST_CASE("no file and no folder are not found") {
  const TemporaryFolder folder;
  CHECK(code_of_load(folder / "key") == Code::kNotFound);
  CHECK(code_of_load(folder / "none/key") == Code::kNotFound);
}

TEST_CASE("a file that exists is never replaced") {
  const TemporaryFolder folder;
  const Bytes theirs{'h', 'e', 'l', 'l', 'o'};
  put(folder / "key", theirs);
  const auto saved = save_key_file(known_key(), folder / "key");
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().code == Code::kInvalidState);
  CHECK(contents(folder / "key") == theirs);
  CHECK(folder.count() == 1);
}

TEST_CASE("not even a link that leads nowhere is replaced or followed when saving") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "elsewhere", folder / "key");
  const auto saved = save_key_file(known_key(), folder / "key");
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().code == Code::kInvalidState);
  CHECK_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST_CASE("a folder that is not there is the system's error") {
  const TemporaryFolder folder;
  const auto saved = save_key_file(known_key(), folder / "none/key");
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().code == Code::kIo);
  CHECK(saved.error().detail == ENOENT);
}

TEST_CASE("every damaged bit is noticed, and the file is left as it is") {
  const TemporaryFolder folder;
  const Bytes good = known_key().to_protobuf();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1 << bit % 8));
    put(folder / "key", bad);
    CAPTURE(bit);
    CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
    const auto created = load_or_create_key_file(folder / "key");
    REQUIRE_FALSE(created.has_value());
    CHECK(created.error().code == Code::kBadKeyFile);
    CHECK(contents(folder / "key") == bad);
  }
}

TEST_CASE("every cut and every longer file is noticed") {
  const TemporaryFolder folder;
  const Bytes good = known_key().to_protobuf();
  for (std::size_t size = 0; size < good.size(); ++size) {
    put(folder / "key", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    CAPTURE(size);
    CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
  }
  Bytes longer = good;
  longer.push_back(0);
  put(folder / "key", longer);
  CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
  put(folder / "key", Bytes(1 << 20, 0x08));
  CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
}

TEST_CASE("a foreign file is refused") {
  const TemporaryFolder folder;
  const std::string text = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n";
  put(folder / "key", Bytes(text.begin(), text.end()));
  CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
  put(folder / "rsa", Bytes{0x08, 0x00, 0x12, 0x02, 0x30, 0x00});
  CHECK(code_of_load(folder / "rsa") == Code::kBadKeyFile);
}

TEST_CASE("a protobuf that says more than one key is no key file") {
  const TemporaryFolder folder;
  const Bytes good = known_key().to_protobuf();
  const Bytes other = KeyPair::from_seed(Bytes(KeyPair::kSeedSize, 8)).to_protobuf();
  const auto joined = [](std::initializer_list<ByteView> parts) {
    Bytes out;
    for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
  };
  const ByteView type = ByteView(good).first(2), data = ByteView(good).subspan(2);
  const Bytes unknown{0x18, 0x01}, long_type{0x08, 0x81, 0x00}, long_size{0x12, 0xc0, 0x00};
  const std::vector<Bytes> bad{
      joined({good, other}),    joined({good, good}), joined({type, good}),
      joined({good, unknown}),  joined({unknown, good}), joined({type, unknown, data}),
      joined({data, type}),     joined({long_type, data}),
      joined({type, long_size, data.subspan(2)})};
  for (const Bytes& bytes : bad) {
    put(folder / "key", bytes);
    CAPTURE(&bytes - bad.data());
    CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
  }
}

TEST_CASE("the old form of a key file is read, with nothing before or after it") {
  const TemporaryFolder folder;
  Bytes old = known_key().to_protobuf();
  old[3] = 96;
  old.insert(old.end(), old.end() - 32, old.end());
  put(folder / "key", old);
  CHECK(code_of_load(folder / "key") == Code::kOk);
  old.insert(old.end(), {0x18, 0x01});
  put(folder / "key", old);
  CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
}

TEST_CASE("a key file that others can reach is refused until its mode is right") {
  const TemporaryFolder folder;
  for (const mode_t mode : {0604, 0602, 0601, 0640, 0620, 0610, 0666, 0777}) {
    put(folder / "key", known_key().to_protobuf(), mode);
    CAPTURE(mode);
    CHECK(code_of_load(folder / "key") == Code::kBadKeyFile);
  }
  for (const mode_t mode : {0600, 0400, 0700}) {
    put(folder / "key", known_key().to_protobuf(), mode);
    CAPTURE(mode);
    CHECK(code_of_load(folder / "key") == Code::kOk);
  }
}

TEST_CASE("what is not a plain file is refused and does not make us wait") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_directory(folder / "folder");
  CHECK(code_of_load(folder / "pipe") == Code::kBadKeyFile);
  CHECK(code_of_load(folder / "folder") == Code::kBadKeyFile);
  CHECK(code_of_load("/dev/zero") == Code::kBadKeyFile);
}

TEST_CASE("a link to a key file leads to it") {
  const TemporaryFolder folder;
  REQUIRE(save_key_file(known_key(), folder / "real").has_value());
  std::filesystem::create_symlink(folder / "real", folder / "key");
  CHECK(code_of_load(folder / "key") == Code::kOk);
}

}  // namespace
}  // namespace p2pa::io
