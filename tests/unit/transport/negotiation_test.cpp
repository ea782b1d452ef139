#include <catch2/catch.hpp>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "transport/multistream/negotiation.hpp"

using namespace p2pa;
using namespace p2pa::multistream;

namespace {

Bytes message(std::string_view text) {
  Bytes out;
  append_varint(out, text.size());
  ByteWriter(out).append(text);
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Bytes kHello = message("/multistream/1.0.0\n");
const Negotiation::Known kKnown = [](std::string_view id) { return id == "/echo/1" || id == "/echo/2"; };
const Negotiation::Known kNothing = [](std::string_view) { return false; };

Negotiation initiator(std::string_view protocol = "/echo/1") {
  Negotiation n;
  Bytes out;
  n.propose(protocol, out);
  return n;
}

Negotiation responder() {
  Negotiation n;
  n.listen();
  return n;
}

}  // namespace

TEST_CASE("the proposal is the header and the protocol in one piece", "[multistream]") {
  Negotiation n;
  Bytes out;
  n.propose("/echo/1", out);
  CHECK(out == kHello + message("/echo/1\n"));
  CHECK(out[0] == 19);
  CHECK(n.initiator());
  CHECK(n.protocol() == "/echo/1");
  CHECK_FALSE(n.agreed());
}

TEST_CASE("a known protocol is agreed, and what follows it left alone", "[multistream]") {
  Negotiation n = responder();
  Bytes out;
  const Bytes proposal = kHello + message("/echo/1\n");
  const auto progress = n.advance(proposal + Bytes{1, 2, 3}, kKnown, out);
  REQUIRE(progress);
  CHECK(progress->finished);
  CHECK(progress->consumed == proposal.size());
  CHECK(out == proposal);
  CHECK(n.protocol() == "/echo/1");
  CHECK(n.agreed());
}

TEST_CASE("the answer may bring the protocol's first bytes along", "[multistream]") {
  Negotiation n = initiator();
  Bytes out;
  const Bytes answer = kHello + message("/echo/1\n");
  const auto progress = n.advance(answer + Bytes{9, 9}, kNothing, out);
  REQUIRE(progress);
  CHECK(progress->consumed == answer.size());
  CHECK(n.agreed());
  CHECK(out.empty());
}

TEST_CASE("a negotiation may arrive byte by byte", "[multistream]") {
  Negotiation n = responder();
  Bytes out;
  const Bytes all = kHello + message("/echo/0\n") + message("/echo/2\n");
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK_FALSE(n.agreed());
    const auto progress = n.advance(ByteView(all).subspan(i, 1), kKnown, out);
    REQUIRE(progress);
    CHECK(progress->consumed == 1);
  }
  CHECK(n.agreed());
  CHECK(n.protocol() == "/echo/2");
  CHECK(out == kHello + message("na\n") + message("/echo/2\n"));
}

TEST_CASE("an initiator that waits for each answer is served as well", "[multistream]") {
  Negotiation n = responder();
  Bytes out;
  REQUIRE(n.advance(kHello, kKnown, out));
  CHECK(out == kHello);
  out.clear();
  REQUIRE(n.advance(message("ls\n"), kKnown, out));
  CHECK(out == message("na\n"));
  out.clear();
  REQUIRE(n.advance(message("/echo/1\n"), kKnown, out));
  CHECK(out == message("/echo/1\n"));
}

TEST_CASE("an initiator is told that its protocol is not spoken", "[multistream]") {
  Negotiation n = initiator();
  Bytes out;
  const auto progress = n.advance(kHello + message("na\n"), kNothing, out);
  REQUIRE_FALSE(progress);
  CHECK(progress.error().code == Code::kProtocolUnsupported);
  CHECK(n.state() == Negotiation::State::kFailed);
}

TEST_CASE("what is not multistream is refused by both ends", "[multistream]") {
  const Bytes bad[] = {
      message("/multistream/2.0.0\n"),
      message("/multistream/1.0.0"),         // no newline
      Bytes{0},                              // no length
      Bytes{0x93, 0},                        // length not minimal
      Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
      message("GET / HTTP/1.1\r\n"),
      message("/echo/1\n"),                  // no header first
  };
  for (const Bytes& bytes : bad) {
    for (Negotiation n : {initiator(), responder()}) {
      Bytes out;
      const auto progress = n.advance(bytes, kKnown, out);
      REQUIRE_FALSE(progress);
      CHECK(progress.error().code == Code::kNegotiation);
    }
  }
}

TEST_CASE("an answer to something else is refused", "[multistream]") {
  for (const char* text : {"/echo/2\n", "ls\n", "/multistream/1.0.0\n", "\n"}) {
    Negotiation n = initiator();
    Bytes out;
    const auto progress = n.advance(kHello + message(text), kKnown, out);
    REQUIRE_FALSE(progress);
    CHECK(progress.error().code == Code::kNegotiation);
  }
}

TEST_CASE("a message of 1,024 bytes is read, one byte more is refused before it comes", "[multistream]") {
  Negotiation n = responder();
  Bytes out;
  const std::string longest(kMessageBytesMax - 1, 'p');
  REQUIRE(n.advance(kHello + message(longest + "\n"), kNothing, out));
  Bytes length;
  append_varint(length, kMessageBytesMax + 1);
  const auto over = n.advance(length, kNothing, out);
  REQUIRE_FALSE(over);
  CHECK(over.error() == Error{Code::kNegotiation, kMessageBytesMax, ""});
}

TEST_CASE("a responder says na thirty-two times and then no more", "[multistream]") {
  Negotiation n = responder();
  Bytes out;
  REQUIRE(n.advance(kHello, kNothing, out));
  for (int i = 0; i < kProposalsMax; ++i) REQUIRE(n.advance(message("/x\n"), kNothing, out));
  const auto over = n.advance(message("/x\n"), kNothing, out);
  REQUIRE_FALSE(over);
  CHECK(over.error() == Error{Code::kNegotiation, kProposalsMax, ""});
  // The same in one piece.
  Bytes flood = kHello;
  for (int i = 0; i <= kProposalsMax; ++i) flood = flood + message("/x\n");
  Negotiation again = responder();
  Bytes answers;
  CHECK_FALSE(again.advance(flood, kNothing, answers));
  CHECK(answers.size() <= kHello.size() + 4 * kProposalsMax);
}
