#include "transport/noise/noise_channel.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/hex.hpp"
#include "vectors/table.hpp"

using namespace p2pa;
using noise::NoiseChannel;
using test::from_hex;
using test::to_hex;

namespace {

using Muxers = std::vector<std::string>;

const Muxers kYamux = {"/yamux/1.0.0"};
const Muxers kNone;

/// An end with an identity of its own; what comes from the other one and is not taken yet lies in `in`.
struct End {
  End(bool initiator, std::uint8_t n, const Muxers& muxers = kYamux, const PeerId& expected = {})
      : rng(Bytes(32, n)),
        key(KeyPair::from_seed(Bytes(32, n))),
        identity(key, rng),
        channel(initiator, identity, rng, expected, muxers) {}

  /// Goes on with what lies there; answers what is to be sent.
  Result<Bytes> advance() {
    Bytes out;
    const auto taken = channel.handshake(in, out);
    if (!taken) return std::unexpected(taken.error());
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(*taken));
    return out;
  }
  Result<Bytes> receive(ByteView bytes) {
    in.insert(in.end(), bytes.begin(), bytes.end());
    return advance();
  }

  Bytes seal(ByteView plain) {
    Bytes record(plain.size() + channel.seal_overhead());
    CHECK(channel.seal(plain, record) == record.size());
    return record;
  }
  /// All plain text that `bytes` hold; they have to be whole records.
  Result<Bytes> open(ByteView bytes) {
    Bytes plain;
    while (!bytes.empty()) {
      Bytes room(SecureChannel::kPlainBytesMax);
      const auto progress = channel.open(bytes, room);
      if (!progress) return std::unexpected(progress.error());
      REQUIRE(progress->taken > 0);
      bytes = bytes.subspan(progress->taken);
      plain.insert(plain.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress->made));
    }
    return plain;
  }

  Rng rng;
  KeyPair key;
  noise::Identity identity;
  NoiseChannel channel;
  Bytes in;
};

struct Ends {
  explicit Ends(const Muxers& a = kYamux, const Muxers& b = kYamux)
      : initiator(true, 1, a), responder(false, 2, b) {}
  End initiator, responder;
};

/// What happens to the messages under way: the number (0, 1, 2) and the bytes with their length.
using Tamper = std::function<void(int, Bytes&)>;
const Tamper kHonest = [](int, Bytes&) {};

/// The three messages, one after the other. The first error ends it.
Result<void> shake(End& initiator, End& responder, const Tamper& tamper = kHonest) {
  End* const receivers[] = {&responder, &initiator, &responder};
  auto message = initiator.advance();
  for (int i = 0; i < 3 && message; ++i) {
    tamper(i, *message);
    message = receivers[i]->receive(*message);
  }
  if (!message) return std::unexpected(message.error());
  return {};
}

Result<void> shake(Ends& ends, const Tamper& tamper = kHonest) {
  return shake(ends.initiator, ends.responder, tamper);
}

Ends& established(Ends& ends) {
  REQUIRE(shake(ends));
  REQUIRE(ends.initiator.channel.established());
  REQUIRE(ends.responder.channel.established());
  return ends;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes framed(ByteView message) {
  return Bytes{static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())} +
         Bytes(message.begin(), message.end());
}

/// A responder whose payload is the test's; what an initiator says of it.
Result<void> answer_with(const noise::Payload& payload, const crypto::X25519KeyPair& static_key,
                         const PeerId& expected = {}) {
  End initiator(true, 1, kYamux, expected);
  noise::HandshakeXx forger(false, static_key, Bytes(32, 9));
  const Bytes hello = *initiator.advance();
  Bytes ignored, answer;
  REQUIRE(forger.read(ByteView(hello).subspan(2), ignored));
  REQUIRE(forger.write(noise::encode(payload), answer));
  const auto answered = initiator.receive(framed(answer));
  if (!answered) return std::unexpected(answered.error());
  return {};
}

}  // namespace

TEST_CASE("both ends learn who the other one is, in three messages", "[noise]") {
  Ends ends;
  std::vector<std::size_t> sizes;
  REQUIRE(shake(ends, [&](int, Bytes& message) { sizes.push_back(message.size()); }));
  CHECK(ends.initiator.channel.peer() == ends.responder.key.peer_id());
  CHECK(ends.responder.channel.peer() == ends.initiator.key.peer_id());
  // Key of 36 bytes and signature of 64 with heads of two, the list 4 + 12 long; keys, tags, length.
  const std::size_t payload = 2 + 36 + 2 + 64 + 2 + 2 + 12;
  CHECK(sizes == std::vector<std::size_t>{2 + 32, 2 + 32 + 48 + payload + 16, 2 + 48 + payload + 16});
}

TEST_CASE("what follows the handshake is private in both directions and keeps its order", "[noise]") {
  Ends ends;
  established(ends);
  for (const char* text : {"one", "", "three"}) {
    const Bytes there = ends.initiator.seal(as_bytes(text)), back = ends.responder.seal(as_bytes(text));
    CHECK(there.size() == std::string_view(text).size() + 18);
    CHECK(there != back);
    CHECK(as_text(*ends.responder.open(there)) == text);
    CHECK(as_text(*ends.initiator.open(back)) == text);
  }
}

TEST_CASE("a handshake may arrive in any two pieces, or byte by byte", "[noise]") {
  for (std::size_t cut = 1; cut < 300; ++cut) {
    Ends ends;
    End* const receivers[] = {&ends.responder, &ends.initiator, &ends.responder};
    Bytes message = *ends.initiator.advance();
    for (End* receiver : receivers) {
      const ByteView all = message;
      Bytes next;
      for (std::size_t at = 0; at < all.size();) {
        // The one run with a piece of one byte goes on in such; the others have two pieces.
        const std::size_t size = cut == 1 ? 1 : at == 0 ? std::min(cut, all.size()) : all.size() - at;
        const auto made = receiver->receive(all.subspan(at, size));
        REQUIRE(made);
        at += size;
        if (at < all.size()) CHECK(made->empty());
        if (at < all.size()) CHECK(receiver->in.size() == at);
        next = next + *made;
      }
      CHECK(receiver->in.empty());
      message = next;
    }
    CHECK(ends.initiator.channel.established());
    CHECK(ends.responder.channel.established());
  }
}

TEST_CASE("the handshake takes nothing of the records behind it", "[noise]") {
  Ends ends;
  const Bytes one = *ends.initiator.advance();
  const Bytes two = *ends.responder.receive(one);
  const Bytes three = *ends.initiator.receive(two);
  REQUIRE(ends.initiator.channel.established());
  const Bytes record = ends.initiator.seal(as_bytes("early"));
  const auto nothing = ends.responder.receive(three + record);
  REQUIRE(nothing);
  CHECK(nothing->empty());
  CHECK(ends.responder.in == record);
  CHECK(as_text(*ends.responder.open(record)) == "early");
}

TEST_CASE("the wrong peer is refused by either end", "[noise]") {
  const PeerId somebody = KeyPair::from_seed(Bytes(32, 77)).peer_id();
  {
    End initiator(true, 1, kYamux, somebody), responder(false, 2);
    CHECK(shake(initiator, responder).error().code == Code::kPeerIdMismatch);
    CHECK_FALSE(initiator.channel.established());
  }
  {
    End initiator(true, 1), responder(false, 2, kYamux, somebody);
    CHECK(shake(initiator, responder).error().code == Code::kPeerIdMismatch);
    CHECK_FALSE(responder.channel.established());
  }
  const PeerId expected = KeyPair::from_seed(Bytes(32, 2)).peer_id();
  End initiator(true, 1, kYamux, expected), responder(false, 2);
  CHECK(shake(initiator, responder));
}

TEST_CASE("every byte of the handshake counts: a change of any is refused", "[noise]") {
  for (int target = 0; target < 3; ++target) {
    bool more = true;
    for (std::size_t at = 0; more; ++at) {
      for (const std::uint8_t flip : {0x01, 0x80}) {
        Ends ends;
        const auto shaken = shake(ends, [&](int number, Bytes& message) {
          if (number != target) return;
          more = at + 1 < message.size();
          message[at] ^= flip;
        });
        // A length that grew leaves the receiver waiting; all else is an error.
        INFO(target << " " << at);
        CHECK_FALSE(ends.responder.channel.established());
        if (target < 2) CHECK_FALSE(ends.initiator.channel.established());
        if (at >= 2) CHECK_FALSE(shaken);
        if (at >= 2) CHECK(shaken.error().code == Code::kHandshake);
      }
    }
  }
}

TEST_CASE("a handshake message that is cut short, empty or repeated is refused", "[noise]") {
  for (int target = 0; target < 3; ++target) {
    for (const std::size_t size : {0, 1, 15, 16, 31, 33, 47, 48, 79, 80, 95}) {
      if (target == 0 && size >= 32) continue;  // that is all of it
      Ends ends;
      const auto shaken = shake(ends, [&](int number, Bytes& message) {
        if (number != target) return;
        message.erase(message.begin(), message.begin() + 2);
        message.resize(std::min(size, message.size()));
        message = framed(message);
      });
      REQUIRE_FALSE(shaken);
      CHECK(shaken.error().code == Code::kHandshake);
    }
  }
  Bytes first, second;
  Ends ends;
  const auto shaken = shake(ends, [&](int number, Bytes& message) {
    if (number == 0) first = message;
    if (number == 2) message = first;
  });
  CHECK(shaken.error().code == Code::kHandshake);

  // A message of another session, though from the same peer.
  Bytes old_third;
  Ends before;
  REQUIRE(shake(before, [&](int number, Bytes& message) {
    if (number == 2) old_third = message;
  }));
  End again(true, 1), responder(false, 3);
  const auto replayed = shake(again, responder, [&](int number, Bytes& message) {
    if (number == 2) message = old_third;
  });
  CHECK(replayed.error().code == Code::kHandshake);
}

TEST_CASE("a first message with a payload is refused", "[noise]") {
  End responder(false, 2);
  const auto answered = responder.receive(framed(Bytes(33, 5)));
  REQUIRE_FALSE(answered);
  CHECK(answered.error().code == Code::kMalformed);
}

TEST_CASE("an ephemeral or static key of small order is refused", "[noise]") {
  End responder(false, 2);
  CHECK(responder.receive(framed(Bytes(32, 0))).error().code == Code::kBadKey);
  End initiator(true, 1);
  REQUIRE(initiator.advance());
  CHECK(initiator.receive(framed(Bytes(200, 0))).error().code == Code::kBadKey);
}

TEST_CASE("an identity that did not sign this static key is refused", "[noise]") {
  Rng rng(Bytes(32, 5)), other_rng(Bytes(32, 6));
  const KeyPair key = KeyPair::from_seed(Bytes(32, 5)), other_key = KeyPair::from_seed(Bytes(32, 6));
  const noise::Identity identity(key, rng), other(other_key, other_rng);
  const noise::Payload good{identity.public_key(), identity.signature(), {}};
  CHECK(answer_with(good, identity.static_key()));
  CHECK(answer_with(good, identity.static_key(), key.peer_id()));

  const auto refusal = [&](const noise::Payload& payload) {
    return answer_with(payload, identity.static_key(), key.peer_id()).error().code;
  };
  // Somebody else's identity, with all that its owner ever showed.
  CHECK(answer_with(good, other.static_key(), key.peer_id()).error().code == Code::kBadSignature);
  CHECK(refusal({other.public_key(), identity.signature(), {}}) == Code::kBadSignature);
  CHECK(refusal({identity.public_key(), other.signature(), {}}) == Code::kBadSignature);
  CHECK(refusal({other.public_key(), other.signature(), {}}) == Code::kBadSignature);
  CHECK(refusal({identity.public_key(), identity.signature().first(63), {}}) == Code::kBadSignature);
  CHECK(refusal({identity.public_key(), {}, {}}) == Code::kBadSignature);
  const auto without_prefix = key.sign(identity.static_key().public_key());
  CHECK(refusal({identity.public_key(), without_prefix, {}}) == Code::kBadSignature);

  CHECK(refusal({{}, identity.signature(), {}}) == Code::kBadKey);
  CHECK(refusal({identity.public_key().last(32), identity.signature(), {}}) == Code::kBadKey);
  CHECK(refusal({Bytes(60'000, 1), identity.signature(), {}}) == Code::kBadKey);
}

TEST_CASE("the muxer is the first of the initiator's that both have", "[noise]") {
  struct Case {
    Muxers initiator, responder;
    std::string_view agreed;
  };
  for (const Case& c : {
           Case{kYamux, kYamux, "/yamux/1.0.0"},
           Case{{"/a", "/b", "/c"}, {"/c", "/b"}, "/b"},
           Case{{"/c", "/b"}, {"/a", "/b", "/c"}, "/c"},
           Case{kNone, kYamux, ""},
           Case{kYamux, kNone, ""},
           Case{kNone, kNone, ""},
       }) {
    Ends ends(c.initiator, c.responder);
    established(ends);
    CHECK(ends.initiator.channel.muxer() == c.agreed);
    CHECK(ends.responder.channel.muxer() == c.agreed);
  }
}

TEST_CASE("an initiator names the chosen muxer alone, and all of its own to who named none", "[noise]") {
  Rng rng(Bytes(32, 5));
  const KeyPair key = KeyPair::from_seed(Bytes(32, 5));
  const noise::Identity identity(key, rng);
  const std::vector<std::string_view> ours = {"/a", "/b", "/c"}, chosen = {"/b"};
  for (const bool named : {true, false}) {
    noise::HandshakeXx responder(false, identity.static_key(), Bytes(32, 9));
    End initiator(true, 1, {"/a", "/b", "/c"});
    noise::Payload payload{identity.public_key(), identity.signature(), {}};
    if (named) payload.muxers = {"/c", "/b"};
    const Bytes hello = *initiator.advance();
    Bytes ignored, answer, last;
    REQUIRE(responder.read(ByteView(hello).subspan(2), ignored));
    REQUIRE(responder.write(noise::encode(payload), answer));
    const auto sent = initiator.receive(framed(answer));
    REQUIRE(sent);
    REQUIRE(responder.read(ByteView(*sent).subspan(2), last));
    CHECK(noise::decode(last)->muxers == (named ? chosen : ours));
  }
}

TEST_CASE("ends without a muxer in common do not get along", "[noise]") {
  Ends ends({"/a", "/b"}, {"/c"});
  const auto shaken = shake(ends);
  REQUIRE_FALSE(shaken);
  CHECK(shaken.error().code == Code::kHandshake);
  CHECK_FALSE(ends.initiator.channel.established());

  // The responder looks for itself too: here the initiator sends what the answer did not offer.
  Rng rng(Bytes(32, 5));
  const KeyPair key = KeyPair::from_seed(Bytes(32, 5));
  const noise::Identity identity(key, rng);
  for (const auto& [list, agreed] : {std::pair{"/c", true}, std::pair{"/b", false}, std::pair{"", false}}) {
    noise::HandshakeXx initiator(true, identity.static_key(), Bytes(32, 9));
    End responder(false, 2, {"/c"});
    Bytes hello, ignored, last;
    REQUIRE(initiator.write({}, hello));
    const auto answer = responder.receive(framed(hello));
    REQUIRE(initiator.read(ByteView(*answer).subspan(2), ignored));
    REQUIRE(initiator.write(noise::encode({identity.public_key(), identity.signature(), {list}}), last));
    const auto end = responder.receive(framed(last));
    CHECK(end.has_value() == agreed);
    CHECK(responder.channel.established() == agreed);
    if (!end) CHECK(end.error().code == Code::kHandshake);
  }
}

TEST_CASE("a payload reads as it was written, and what is unknown in it is passed over", "[noise]") {
  const Bytes key{1, 2, 3}, sig{4, 5};
  const noise::Payload payload{key, sig, {"/a", "/b"}};
  const Bytes bytes = noise::encode(payload);
  CHECK(to_hex(bytes) == "0a03010203" "12020405" "2208" "12022f61" "12022f62");
  const auto read = noise::decode(bytes);
  REQUIRE(read);
  CHECK(to_hex(read->identity_key) == "010203");
  CHECK(to_hex(read->identity_sig) == "0405");
  CHECK(read->muxers == payload.muxers);
  CHECK(noise::encode({key, sig, {}}) == from_hex("0a03010203" "12020405"));

  // Early data of old, certificate hashes, extensions in two parts, a key that comes again.
  const Bytes odd_bytes = from_hex("1a0100" "0a0109" "22060a017f12012f" "a00605" "220312012b" "0a0107");
  const auto odd = noise::decode(odd_bytes);
  REQUIRE(odd);
  CHECK(to_hex(odd->identity_key) == "07");
  CHECK(odd->muxers == std::vector<std::string_view>{"/", "+"});
  CHECK(noise::decode({})->muxers.empty());
}

TEST_CASE("a payload that is not protobuf, or has its fields of other types, is refused", "[noise]") {
  for (const char* bad : {"0a05", "ff", "0801", "1001", "2001", "2202ffff", "22021001", "2203120561", "0b"}) {
    INFO(bad);
    const auto read = noise::decode(from_hex(bad));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Code::kMalformed);
  }
}

TEST_CASE("lists of muxers are read up to their bounds and refused one over", "[noise]") {
  noise::Payload payload;
  payload.muxers.assign(noise::kMuxersMax, "/m");
  CHECK(noise::decode(noise::encode(payload)));
  payload.muxers.push_back("/m");
  CHECK(noise::decode(noise::encode(payload)).error() == Error{Code::kMalformed, noise::kMuxersMax, ""});
  const std::string longest(noise::kMuxerBytesMax, 'm'), longer = longest + "m";
  payload.muxers.assign(1, longest);
  CHECK(noise::decode(noise::encode(payload)));
  payload.muxers.assign(1, longer);
  CHECK(noise::decode(noise::encode(payload)).error() == Error{Code::kMalformed, noise::kMuxerBytesMax, ""});
}

TEST_CASE("the largest list of muxers that is ours fits into the handshake", "[noise]") {
  Muxers many;
  for (std::size_t i = 0; i < noise::kMuxersMax; ++i) {
    many.push_back(std::to_string(i) + std::string(noise::kMuxerBytesMax - 3, 'm'));
  }
  Ends ends(many, many);
  established(ends);
  CHECK(ends.responder.channel.muxer() == many.front());
}

TEST_CASE("records of every size up to the largest are sealed and opened", "[noise]") {
  Ends ends;
  established(ends);
  CHECK(ends.initiator.channel.seal_max() == 65'519);
  CHECK(ends.initiator.channel.seal_max() + ends.initiator.channel.seal_overhead() ==
        SecureChannel::kRecordBytesMax);
  for (const std::size_t size : {0, 1, 15, 16, 17, 255, 256, 16'384, 64'511, 65'487, 65'518, 65'519}) {
    Bytes plain(size);
    ends.initiator.rng.fill(plain);
    CHECK(ends.responder.open(ends.initiator.seal(plain)) == plain);
  }
}

TEST_CASE("several records open at once, and one that is not complete is left", "[noise]") {
  Ends ends;
  established(ends);
  const Bytes first = ends.initiator.seal(as_bytes("ab")), second = ends.initiator.seal(as_bytes("cde"));
  const Bytes records = first + second;
  const Bytes third = ends.initiator.seal(as_bytes("f"));
  Bytes room(SecureChannel::kPlainBytesMax);
  for (std::size_t kept = 0; kept < third.size(); ++kept) {
    const ByteView beginning = ByteView(first).first(std::min(kept, first.size() - 1));
    const auto nothing = ends.responder.channel.open(beginning, room);
    REQUIRE(nothing);
    CHECK(nothing->taken == 0);
    CHECK(nothing->made == 0);
  }
  const auto two = ends.responder.channel.open(records + Bytes(third.begin(), third.end() - 1), room);
  REQUIRE(two);
  CHECK(two->taken == records.size());
  CHECK(as_text(ByteView(room).first(two->made)) == "abcde");
  CHECK(as_text(*ends.responder.open(third)) == "f");
}

TEST_CASE("a record whose plain text does not fit the rest of the room waits for the next call", "[noise]") {
  Ends ends;
  established(ends);
  const Bytes half(40'000, 1), other_half(40'000, 2), rest(SecureChannel::kPlainBytesMax - 40'000, 3);
  const Bytes first = ends.initiator.seal(half);
  const Bytes both = first + ends.initiator.seal(other_half);
  Bytes room(SecureChannel::kPlainBytesMax);
  const auto one = ends.responder.channel.open(both, room);
  REQUIRE(one);
  CHECK(one->taken == first.size());
  CHECK(one->made == half.size());
  // The second one is not lost, and another that fills the room to its last byte goes with it.
  const Bytes third = ends.initiator.seal(rest), fourth = ends.initiator.seal(as_bytes("x"));
  const Bytes more =
      Bytes(both.begin() + static_cast<std::ptrdiff_t>(one->taken), both.end()) + third + fourth;
  const auto two = ends.responder.channel.open(more, room);
  REQUIRE(two);
  CHECK(two->made == room.size());
  CHECK(Bytes(room.begin(), room.begin() + 40'000) == other_half);
  const auto last = ends.responder.channel.open(ByteView(more).subspan(two->taken), room);
  REQUIRE(last);
  CHECK(last->made == 1);
}

TEST_CASE("a record that is changed anywhere, short, repeated, left out or turned round does not open",
          "[noise]") {
  Ends ends;
  established(ends);
  End& responder = ends.responder;
  const auto refused = [&](const Bytes& bytes) {
    Bytes room(SecureChannel::kPlainBytesMax);
    const auto opened = responder.channel.open(bytes, room);
    return !opened && opened.error().code == Code::kProtocolViolation;
  };
  const Bytes one = ends.initiator.seal(as_bytes("one")), two = ends.initiator.seal(as_bytes("two"));
  for (std::size_t at = 2; at < one.size(); ++at) {
    Bytes changed = one;
    changed[at] ^= 0x10;
    CHECK(refused(changed));
  }
  CHECK(refused(Bytes{0, 0}));
  CHECK(refused(framed(Bytes(15, 1))));
  CHECK(refused(framed(Bytes(16, 1))));
  CHECK(refused(framed(Bytes(65'535, 1))));
  CHECK(refused(framed(ByteView(one).subspan(2, one.size() - 3))));
  CHECK(refused(framed(ByteView(one + Bytes{0}).subspan(2))));
  CHECK(refused(two));
  CHECK(refused(responder.seal(as_bytes("our own"))));
  CHECK(as_text(*responder.open(one)) == "one");
  CHECK(refused(one));
}

TEST_CASE("what was good before a bad record is told first, then the error, again and again", "[noise]") {
  Ends ends;
  established(ends);
  Bytes room(SecureChannel::kPlainBytesMax);
  const Bytes good = ends.initiator.seal(as_bytes("good"));
  Bytes bad = ends.initiator.seal(as_bytes("bad"));
  bad.back() ^= 1;
  const auto progress = ends.responder.channel.open(good + bad, room);
  REQUIRE(progress);
  CHECK(progress->taken == good.size());
  CHECK(as_text(ByteView(room).first(progress->made)) == "good");
  for (int i = 0; i < 2; ++i) {
    const auto refused = ends.responder.channel.open(bad, room);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::kProtocolViolation);
  }
}

TEST_CASE("the end of a direction is not announced", "[noise]") {
  Ends ends;
  established(ends);
  Bytes out;
  ends.initiator.channel.finish(out);
  CHECK(out.empty());
}

TEST_CASE("sessions of the same two peers have nothing in common", "[noise]") {
  End initiator(true, 1), responder(false, 2);
  NoiseChannel again(true, initiator.identity, initiator.rng, {}, kYamux);
  NoiseChannel other(false, responder.identity, responder.rng, {}, kYamux);
  REQUIRE(shake(initiator, responder));
  Bytes hello, answer, last, nothing;
  REQUIRE(again.handshake({}, hello));
  REQUIRE(other.handshake(hello, answer));
  REQUIRE(again.handshake(answer, last));
  REQUIRE(other.handshake(last, nothing));
  CHECK(nothing.empty());
  Bytes record(18 + 4);
  again.seal(as_bytes("text"), record);
  CHECK(initiator.seal(as_bytes("text")) != record);
  CHECK(responder.open(record).error().code == Code::kProtocolViolation);
}

TEST_CASE("the last number of a key is never used", "[noise]") {
  noise::CipherState sending, receiving;
  const Bytes key(32, 4);
  sending.set_key(key, noise::CipherState::kNonceMax);
  receiving.set_key(key, noise::CipherState::kNonceMax);
  Bytes sealed(1 + noise::kTagSize), plain(1);
  sending.seal({}, Bytes{7}, sealed);
  REQUIRE(receiving.open({}, sealed, plain));
  CHECK(plain == Bytes{7});
  // The very message of the number that is reserved.
  crypto::ChachaKey raw;
  std::ranges::copy(key, raw.span().begin());
  crypto::ChachaNonce reserved{};
  std::ranges::fill(MutableBytes(reserved).subspan(4), std::uint8_t{0xff});
  crypto::chacha20_poly1305_seal(raw, reserved, {}, Bytes{8}, sealed);
  for (int i = 0; i < 2; ++i) {
    CHECK(receiving.open({}, sealed, plain).error().code == Code::kProtocolViolation);
  }
}

TEST_CASE("the handshake is that of cacophony's and snow's vectors, byte by byte", "[noise]") {
  const auto list = [](const std::string& cell) {
    std::vector<Bytes> out;
    std::istringstream parts(cell);
    for (std::string part; std::getline(parts, part, ',');) out.push_back(from_hex(part));
    return out;
  };
  for (const auto& row : test::read_table("noise_xx", 8)) {
    const Bytes prologue = from_hex(row[0]);
    const crypto::X25519KeyPair initiator_static(from_hex(row[1])), responder_static(from_hex(row[3]));
    noise::HandshakeXx initiator(true, initiator_static, from_hex(row[2]), prologue);
    noise::HandshakeXx responder(false, responder_static, from_hex(row[4]), prologue);
    const std::vector<Bytes> payloads = list(row[6]), messages = list(row[7]);
    REQUIRE(payloads.size() == messages.size());
    REQUIRE(payloads.size() > 4);
    for (std::size_t i = 0; i < 3; ++i) {
      noise::HandshakeXx& from = i % 2 == 0 ? initiator : responder;
      noise::HandshakeXx& to = i % 2 == 0 ? responder : initiator;
      Bytes message, payload;
      REQUIRE(from.our_turn());
      REQUIRE(from.write(payloads[i], message));
      CHECK(to_hex(message) == to_hex(messages[i]));
      REQUIRE(to.read(messages[i], payload));
      CHECK(payload == payloads[i]);
    }
    REQUIRE(initiator.done());
    REQUIRE(responder.done());
    CHECK(initiator.peer_static() == responder_static.public_key());
    CHECK(responder.peer_static() == initiator_static.public_key());
    CHECK(initiator.handshake_hash() == responder.handshake_hash());
    if (row[5] != "-") CHECK(to_hex(initiator.handshake_hash()) == row[5]);

    noise::CipherState to_responder, from_responder, to_initiator, from_initiator;
    initiator.split(to_responder, from_responder);
    responder.split(to_initiator, from_initiator);
    for (std::size_t i = 3; i < payloads.size(); ++i) {
      const bool forth = i % 2 == 0;
      Bytes message(payloads[i].size() + noise::kTagSize), plain(payloads[i].size());
      (forth ? to_responder : to_initiator).seal({}, payloads[i], message);
      CHECK(to_hex(message) == to_hex(messages[i]));
      REQUIRE((forth ? from_initiator : from_responder).open({}, messages[i], plain));
      CHECK(plain == payloads[i]);
    }
  }
}
