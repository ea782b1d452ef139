// Layers on each other.

#include <catch2/catch.hpp>

#include "transport/layer/layer_stack.hpp"

namespace p2pa {
namespace {

/// Says its letter first, waits for the other's, and then writes it in front of every piece. Ends with '.'.
class Lettered final : public ByteLayer {
 public:
  explicit Lettered(char letter, bool greets = true) : letter_(static_cast<std::uint8_t>(letter)), open_(!greets) {}

  Result<void> begin(Bytes& down) override {
    if (!open_) down.push_back(letter_);
    return {};
  }
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override {
    for (const std::uint8_t byte : bytes) {
      if (byte == '!') return fail(Code::kProtocolViolation, "shouted at");
      if (byte == '?') down.push_back('=');
      if (byte == '.') return fail(Code::kConnectionClosed, "ended");
      if (byte == letter_) {
        open_ = true;
      } else if (byte != '?') {
        up.push_back(byte);
      }
    }
    return {};
  }
  bool open() const override { return open_; }
  void send(ByteView bytes, Bytes& down) override {
    down.push_back(letter_);
    down.insert(down.end(), bytes.begin(), bytes.end());
  }
  void finish(Bytes& down) override { down.push_back('.'); }

 private:
  const std::uint8_t letter_;
  bool open_;
};

std::string text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

struct Dressed {
  LayerStack stack;
  Bytes up, down;

  explicit Dressed(std::string_view letters) {
    for (const char letter : letters) stack.add(std::make_unique<Lettered>(letter));
  }
  Result<void> receive(std::string_view bytes) { return stack.receive(as_bytes(bytes), up, down); }
  std::string sent() { return text(std::exchange(down, {})); }
  std::string received() { return text(std::exchange(up, {})); }
};

TEST_CASE("a stack of no layers is open and empty") {
  LayerStack stack;
  Bytes down;
  CHECK(stack.empty());
  CHECK(stack.begin(down));
  CHECK(stack.open());
  CHECK(down.empty());
}

TEST_CASE("a layer begins when the one below it is open, and speaks through it") {
  Dressed end("ab");
  REQUIRE(end.stack.begin(end.down));
  CHECK(end.sent() == "a");
  CHECK_FALSE(end.stack.open());
  REQUIRE(end.receive("a"));
  CHECK(end.sent() == "ab");
  CHECK_FALSE(end.stack.open());
  REQUIRE(end.receive("ab"));
  CHECK(end.stack.open());
  CHECK(end.received().empty());
}

TEST_CASE("what follows a greeting in one piece reaches the layers above") {
  Dressed end("abc");
  REQUIRE(end.stack.begin(end.down));
  REQUIRE(end.receive("abcxyz"));
  CHECK(end.stack.open());
  CHECK(end.received() == "xyz");
  CHECK(end.sent() == "aababc");
}

TEST_CASE("a layer that waits for nothing lets the next one begin at once") {
  LayerStack stack;
  stack.add(std::make_unique<Lettered>('a', false));
  stack.add(std::make_unique<Lettered>('b'));
  Bytes down;
  REQUIRE(stack.begin(down));
  CHECK(text(down) == "ab");
  CHECK_FALSE(stack.open());
}

TEST_CASE("what is sent wears every layer, the lowest outside") {
  Dressed end("abcd");
  REQUIRE(end.stack.begin(end.down));
  REQUIRE(end.receive("abcd"));
  end.down.clear();
  end.stack.send(as_bytes("x"), end.down);
  CHECK(end.sent() == "abcdx");
  end.stack.send({}, end.down);
  CHECK(end.sent().empty());
}

TEST_CASE("what a layer answers by itself goes through those below it") {
  Dressed end("ab");
  REQUIRE(end.stack.begin(end.down));
  REQUIRE(end.receive("ab"));
  end.down.clear();
  LayerStack& stack = end.stack;
  REQUIRE(stack.receive(as_bytes("?"), end.up, end.down));
  CHECK(end.sent() == "=");  // the lowest took it
  CHECK(end.received().empty());
}

TEST_CASE("an error of one layer ends what goes up, and keeps what came before it") {
  Dressed end("ab");
  REQUIRE(end.stack.begin(end.down));
  REQUIRE(end.receive("ab"));
  const auto fine = end.receive("xy!z");
  CHECK(fine.error().code == Code::kProtocolViolation);
  CHECK(end.received().empty());  // the lowest layer's error: nobody above may trust it
}

TEST_CASE("the end of a layer is told behind the bytes in front of it") {
  Dressed end("ab");
  REQUIRE(end.stack.begin(end.down));
  REQUIRE(end.receive("ab"));
  const auto fine = end.receive("xy.");
  CHECK(fine.error().code == Code::kConnectionClosed);
  CHECK(end.received() == "xy");
}

TEST_CASE("a goodbye is said by every layer that has begun, the uppermost first") {
  Dressed open("ab");
  REQUIRE(open.stack.begin(open.down));
  REQUIRE(open.receive("ab"));
  open.down.clear();
  open.stack.finish(open.down);
  CHECK(open.sent() == "a..");

  Dressed half("ab");
  REQUIRE(half.stack.begin(half.down));
  half.down.clear();
  half.stack.finish(half.down);
  CHECK(half.sent() == ".");

  Dressed never("ab");
  never.stack.finish(never.down);
  CHECK(never.sent().empty());
}

}  // namespace
}  // namespace p2pa
