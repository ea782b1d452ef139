// Files that are read again as they change.

#include "node/watched_files.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace p2pa;

namespace {

constexpr Instant kBegin{1'000'000'000};
constexpr std::uint64_t kFirstEffect = 100;

/// Two files, and a driver that has them.
struct Files {
  std::map<std::string, std::string> disk{{"a", "1"}, {"b", "2"}};
  std::vector<std::string> installed;
  Result<void> answer{};
  Instant now = kBegin;
  WatchedFiles watched{{"a", "b"}, kFirstEffect, [this](std::span<const Bytes> contents) {
                         std::string all;
                         for (const Bytes& one : contents) all += as_text(one);
                         installed.push_back(all);
                         return answer;
                       }};

  /// Answers what is asked. The error that comes of it.
  Result<void> read() {
    Result<void> out{};
    Effect effect;
    while (watched.poll_effect(effect)) {
      EffectDone done{};
      done.id = effect.id;
      CHECK(watched.owns(done));
      if (const auto file = disk.find(effect.path); file != disk.end()) {
        done.bytes.assign(file->second.begin(), file->second.end());
      } else {
        done.result = fail(Code::kIo, "no such file");
      }
      if (auto fine = watched.done(now, done); !fine) out = fine;
    }
    return out;
  }
  Result<void> read_again() {
    now = now + kFilesCheck;
    watched.on_deadline(now);
    return read();
  }
};

TEST_CASE("files are read when it begins, together, and once") {
  Files files;
  CHECK_FALSE(files.watched.has_effects());
  files.watched.begin();
  CHECK_FALSE(files.watched.tried());
  CHECK(files.read());
  CHECK(files.watched.tried());
  CHECK(files.installed == std::vector<std::string>{"12"});
  files.watched.begin();
  CHECK_FALSE(files.watched.has_effects());
}

TEST_CASE("what did not change is not put in use again") {
  Files files;
  files.watched.begin();
  REQUIRE(files.read());
  CHECK(files.watched.next_deadline() == kBegin + kFilesCheck);
  files.watched.on_deadline(kBegin + kFilesCheck - milliseconds(1));
  CHECK_FALSE(files.watched.has_effects());
  CHECK(files.read_again());
  CHECK(files.installed.size() == 1);
  files.disk["b"] = "3";
  CHECK(files.read_again());
  CHECK(files.installed.back() == "13");
}

TEST_CASE("the same trouble is told once, and again after it was over") {
  Files files;
  files.watched.begin();
  REQUIRE(files.read());
  files.disk.erase("a");
  CHECK(files.read_again().error().code == Code::kIo);
  CHECK(files.read_again());
  files.disk["a"] = "1";
  CHECK(files.read_again());
  files.disk.erase("a");
  CHECK(files.read_again().error().code == Code::kIo);
  CHECK(files.installed.size() == 1);
}

TEST_CASE("what cannot be put in use is tried again") {
  Files files;
  files.answer = fail(Code::kBadKey, "they do not fit");
  files.watched.begin();
  CHECK(files.read().error().code == Code::kBadKey);
  files.answer = {};
  CHECK(files.read_again());
  CHECK(files.installed == std::vector<std::string>{"12", "12"});
}

TEST_CASE("without paths, and once it is closed, it asks for nothing") {
  WatchedFiles none({}, kFirstEffect, [](std::span<const Bytes>) { return Result<void>{}; });
  none.begin();
  CHECK_FALSE(none.has_effects());
  CHECK(none.next_deadline() == kNever);
  EffectDone other{};
  other.id = kFirstEffect;
  CHECK_FALSE(none.owns(other));

  Files files;
  files.watched.begin();
  REQUIRE(files.read());
  files.watched.close();
  CHECK(files.watched.next_deadline() == kNever);
  CHECK(files.read_again());
  CHECK(files.installed.size() == 1);
}

}  // namespace
