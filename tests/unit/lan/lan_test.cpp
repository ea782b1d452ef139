// Machines on one link that the test carries: who hears what, and what is dropped why.
#include "lan/lan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>

namespace p2pa::lan {
namespace {

constexpr Instant kBegin{1'000'000'000};
constexpr SocketId kGroupSocket = 1, kOwnSocket = 2;
constexpr std::uint16_t kPort = 4010;

IpAddress ip(std::uint8_t n) { return IpAddress{{10, 0, 0, n}, false}; }

struct Member {
  Member(std::uint8_t n, std::uint8_t seed, LanOptions options = {}, std::optional<PreSharedKey> network_key = {})
      : address{ip(n), static_cast<std::uint16_t>(50'000 + n), 0},
        key(KeyPair::from_seed(Bytes(KeyPair::kSeedSize, seed))),
        rng(Bytes(32, static_cast<std::uint8_t>(++lives))),
        lan(key, options, network_key, rng, kBegin,
            [this](const PeerId& peer, const IpAddress& at) -> Result<void> {
              if (at == denied_ip || (!peer.empty() && peer == denied_peer)) return fail(Code::kGated);
              return {};
            },
            [this](const LanMessage& m) {
              heard.push_back(std::string(m.topic) + ":" + std::string(as_text(m.bytes)));
              from.push_back(m.from);
            }) {
    lan.set_interfaces({{address.ip, 24}});
    lan.set_group_socket(false, kGroupSocket);
    lan.set_own_socket(false, kOwnSocket);
    lan.set_ready();
    REQUIRE(lan.join("t"));
  }

  std::uint64_t dropped(LanCounters::Which which) const { return lan.counters().dropped[which]; }

  static inline int lives = 0;  // so that each session is another
  IpEndpoint address;
  KeyPair key;
  Rng rng;
  IpAddress denied_ip;
  PeerId denied_peer;
  std::vector<std::string> heard;
  std::vector<PeerId> from;
  Lan lan;
};

/// Carries what members send to each other, without time passing.
struct Link {
  std::vector<Member*> members;
  std::vector<std::pair<IpEndpoint, Bytes>> sent;  // to the group, and by whom
  Instant now = kBegin;
  std::function<bool(const Transmit&, ByteView)> passes = [](const Transmit&, ByteView) { return true; };

  void give(Member& to, const IpEndpoint& from, const IpEndpoint& destination, ByteView bytes) {
    const bool all = destination.port == kPort;
    to.lan.handle(now, {all ? kGroupSocket : kOwnSocket, destination, from, Ecn::kNone, bytes.size(), bytes});
  }
  /// As if this had been sent to the group from there.
  void replay(Member& to, const IpEndpoint& from, ByteView bytes) {
    give(to, from, {group(false), kPort, 0}, bytes);
    run();
  }
  void run() {
    for (bool more = true; more;) {
      more = false;
      for (Member* member : members) {
        Bytes buffer(2000);
        Transmit transmit;
        while (member->lan.poll_transmit(buffer, transmit)) {
          more = true;
          const Bytes bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(transmit.size));
          const bool all = transmit.remote.port == kPort;
          if (all) sent.emplace_back(member->address, bytes);
          if (!passes(transmit, bytes)) continue;
          for (Member* to : members) {
            if (all || to->address == transmit.remote) give(*to, member->address, transmit.remote, bytes);
          }
        }
      }
      for (Member* member : members) member->lan.turn();
    }
  }
  void advance(Duration time) {
    now = now + time;
    for (Member* member : members) member->lan.on_deadline(now);
    run();
  }
  void say(Member& member, std::string_view text, std::string_view topic = "t") {
    REQUIRE(member.lan.send(now, topic, as_bytes(text)));
    run();
  }
};

using Texts = std::vector<std::string>;

TEST_CASE("a message is heard by all others once, from its signer, and not by its sender") {
  Member a(1, 1), b(2, 2), c(3, 3);
  Link link{{&a, &b, &c}, {}};
  link.say(a, "one");
  link.say(a, "two");
  CHECK(a.heard.empty());
  CHECK(b.heard == Texts{"t:one", "t:two"});
  CHECK(c.heard == Texts{"t:one", "t:two"});
  CHECK(b.from == std::vector<PeerId>(2, a.key.peer_id()));
  CHECK(b.lan.counters().dropped == LanCounters{}.dropped);
}

TEST_CASE("only topics that were joined are heard, until they are left") {
  Member a(1, 1), b(2, 2);
  Link link{{&a, &b}, {}};
  link.say(a, "x", "u");
  CHECK(b.heard.empty());
  CHECK(b.dropped(LanCounters::kNotJoined) == 1);
  REQUIRE(b.lan.join("u"));
  link.say(a, "y", "u");
  CHECK(b.heard == Texts{"u:y"});
  CHECK(b.lan.leave("u"));
  CHECK_FALSE(b.lan.leave("u"));
  link.say(a, "z", "u");
  CHECK(b.heard.size() == 1);
}

TEST_CASE("other applications, other keys and strangers to a private network are not heard") {
  const auto secret = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 9));
  Member a(1, 1), b(2, 2, {.application = "other"}), c(3, 3, {}, secret), d(4, 4, {}, secret);
  Link link{{&a, &b, &c, &d}, {}};
  link.say(a, "open");
  link.say(c, "private");
  CHECK(a.heard.empty());
  CHECK(b.heard.empty());
  CHECK(c.heard.empty());
  CHECK(d.heard == Texts{"t:private"});
  CHECK(b.dropped(LanCounters::kOtherNetwork) == 2);
  // The name of the private network is seen by all, but what it says is not theirs to make.
  Bytes forged;
  append_header(forged, {Kind::kMessage, decode_header(link.sent.back().second)->network, Id16{1}, 0});
  append_message(forged, a.key, "t", as_bytes("forged, and long enough to be sealed"));
  link.replay(d, a.address, forged);
  CHECK(d.heard.size() == 1);
  CHECK(d.dropped(LanCounters::kMalformed) == 1);
}

TEST_CASE("a replay in the same session is a duplicate, also over another interface") {
  Member a(1, 1), b(2, 2);
  Link link{{&a, &b}, {}};
  link.say(a, "one");
  link.replay(b, link.sent[0].first, link.sent[0].second);
  link.replay(b, {ip(99), 1, 0}, link.sent[0].second);
  CHECK(b.heard.size() == 1);
  CHECK(b.dropped(LanCounters::kDuplicate) == 2);
}

TEST_CASE("what was recorded before a restart of the sender is not heard again, and harms nobody") {
  auto old = std::make_unique<Member>(1, 1);
  Member b(2, 2);
  Link link{{old.get(), &b}, {}};
  link.say(*old, "old");
  const Bytes recorded = link.sent[0].second;
  Member again(1, 1);
  link.members = {&again, &b};
  link.say(again, "new");
  CHECK(b.heard == Texts{"t:old", "t:new"});
  link.replay(b, {ip(99), 1, 0}, recorded);
  link.replay(b, again.address, recorded);
  link.say(again, "newer");
  link.advance(kProofTimeout);
  CHECK(b.heard == Texts{"t:old", "t:new", "t:newer"});
  CHECK(b.dropped(LanCounters::kUnproven) == 1);
}

TEST_CASE("a receiver that was restarted hears nothing old") {
  Member a(1, 1);
  auto b = std::make_unique<Member>(2, 2);
  Link link{{&a, b.get()}, {}};
  link.say(a, "old");
  const Bytes recorded = link.sent[0].second;
  Member again(2, 2);
  link.members = {&a, &again};
  link.advance(kRecent + seconds(1));
  // The sender lives, in the same session, and says itself that this is long ago.
  link.replay(again, a.address, recorded);
  CHECK(again.heard.empty());
  CHECK(again.dropped(LanCounters::kStale) == 1);
  link.say(a, "new");
  CHECK(again.heard == Texts{"t:new"});
}

TEST_CASE("a replay from elsewhere does not keep the sender itself from being heard") {
  Member a(1, 1), b(2, 2);
  Link link{{&a}, {}};
  for (int i = 0; i < 20; ++i) link.say(a, "old");
  link.members.push_back(&b);
  const auto recorded = link.sent;
  for (const auto& [from, bytes] : recorded) link.replay(b, {ip(99), 1, 0}, bytes);
  CHECK(b.heard.empty());
  link.say(a, "new");
  CHECK(b.heard.back() == "t:new");
}

TEST_CASE("a challenge or a proof that is lost is asked for again") {
  Member a(1, 1), b(2, 2);
  Link link{{&a, &b}, {}};
  int lost = 0;
  link.passes = [&](const Transmit& t, ByteView) { return t.remote.port == kPort || ++lost > 2; };
  link.say(a, "one");
  link.advance(kChallengeInterval);
  CHECK(b.heard.empty());
  link.advance(kChallengeInterval);
  CHECK(b.heard == Texts{"t:one"});
}

TEST_CASE("who does not answer is not heard, and is forgotten") {
  Member a(1, 1), b(2, 2);
  Link link{{&a, &b}, {}};
  link.passes = [](const Transmit& t, ByteView) { return t.remote.port == kPort; };
  for (std::size_t i = 0; i < kHeldMax + 2; ++i) link.say(a, "x");
  link.advance(kProofTimeout);
  CHECK(b.heard.empty());
  CHECK(b.dropped(LanCounters::kFull) == 2);
  CHECK(b.dropped(LanCounters::kUnproven) == kHeldMax);
  CHECK(b.lan.next_deadline() == kNever);
}

TEST_CASE("forged messages and proofs are dropped, and change nothing") {
  Member a(1, 1), b(2, 2), mallory(9, 9);
  Link link{{&a, &b}, {}};
  link.say(a, "one");
  Bytes forged = link.sent[0].second;
  forged[45] ^= 1;  // another number in the same session
  link.replay(b, a.address, forged);
  CHECK(b.dropped(LanCounters::kBadSignature) == 1);
  // A proof that nobody asked for, and one signed by another for a session that is asked for.
  Bytes proof;
  append_header(proof, {Kind::kProof, decode_header(forged)->network, Id16{5}, 0});
  append_proof(proof, mallory.key, Id16{6}, 0);
  link.give(b, mallory.address, b.address, proof);
  CHECK(b.dropped(LanCounters::kUnproven) == 1);
  link.say(a, "two");
  CHECK(b.heard == Texts{"t:one", "t:two"});
}

TEST_CASE("what does not come from the link or was not sent to it is dropped") {
  Member a(1, 1), b(2, 2);
  Link link{{&a, &b}, {}};
  link.say(a, "one");
  const Bytes& bytes = link.sent[0].second;
  const IpEndpoint far{IpAddress{{192, 0, 2, 1}, false}, 1, 0};
  link.replay(b, far, bytes);
  b.lan.handle(link.now, {kGroupSocket, {b.address.ip, kPort, 0}, a.address, Ecn::kNone, bytes.size(), bytes});
  link.give(b, a.address, b.address, bytes);
  CHECK(b.dropped(LanCounters::kOffLink) == 3);
  // The subnet's address for all is the link too.
  link.members = {};
  Member c(3, 3);
  link.give(c, a.address, {IpAddress{{10, 0, 0, 255}, false}, kPort, 0}, bytes);
  link.give(c, a.address, {IpAddress{{255, 255, 255, 255}, false}, kPort, 0}, bytes);
  CHECK(c.dropped(LanCounters::kOffLink) == 0);
  CHECK(c.dropped(LanCounters::kDuplicate) == 1);
}

TEST_CASE("rules against an address or a peer hold before any signature is checked") {
  Member a(1, 1), b(2, 2), c(3, 3);
  Link link{{&a, &b, &c}, {}};
  b.denied_ip = a.address.ip;
  c.denied_peer = a.key.peer_id();
  link.say(a, "one");
  CHECK(b.heard.empty());
  CHECK(c.heard.empty());
  CHECK(b.dropped(LanCounters::kGated) == 1);
  CHECK(c.dropped(LanCounters::kGated) == 1);
}

TEST_CASE("a flood of forged messages from one address costs a bounded number of checks, and others are heard") {
  Member a(1, 1), b(2, 2), mallory(9, 9);
  Link link{{&a, &b}, {}};
  link.say(a, "one");
  Bytes forged = link.sent[0].second;
  for (std::uint16_t i = 0; i < 5000; ++i) {
    forged[40] = static_cast<std::uint8_t>(i >> 8);
    forged[41] = static_cast<std::uint8_t>(i | 1);
    link.give(b, mallory.address, {group(false), kPort, 0}, forged);
  }
  CHECK(b.dropped(LanCounters::kBadSignature) == kVerifyStranger.burst_bytes);
  CHECK(b.dropped(LanCounters::kRateLimited) == 5000 - kVerifyStranger.burst_bytes);
  link.say(a, "two");
  CHECK(b.heard == Texts{"t:one", "t:two"});
}

TEST_CASE("nobody is made to send more than was sent to it, nor to answer without end") {
  Member a(1, 1);
  Link link{{&a}, {}};
  link.say(a, "one");
  const Header own = *decode_header(link.sent[0].second);
  const auto ask = [&](std::size_t body_bytes, const Id16& session) {
    Bytes challenge;
    append_header(challenge, {Kind::kChallenge, own.network, Id16{3}, 0});
    append_challenge(challenge, {session, Id16{4}}, body_bytes);
    link.give(a, {ip(50), 1, 0}, a.address, challenge);
    Bytes buffer(2000);
    Transmit out;
    const bool answered = a.lan.poll_transmit(buffer, out);
    CHECK((!answered || out.size <= challenge.size()));
    return answered;
  };
  constexpr std::size_t kWhole = kPacketBytesMax - kHeaderBytes;
  CHECK_FALSE(ask(kWhole - 1, own.session));
  CHECK_FALSE(ask(kWhole, Id16{8}));
  std::uint64_t answers = 0;
  while (answers < 1000 && ask(kWhole, own.session)) ++answers;
  CHECK(answers == kVerifyStranger.burst_bytes);
}

TEST_CASE("what cannot be sent is refused, by name") {
  Member a(1, 1);
  const auto code = [&](std::string_view topic, std::size_t size) {
    const auto sent = a.lan.send(kBegin, topic, Bytes(size, 'x'));
    return sent ? Code::kOk : sent.error().code;
  };
  CHECK(code("", 1) == Code::kInvalidArgument);
  CHECK(code(std::string(kLanTopicBytesMax + 1, 't'), 1) == Code::kInvalidArgument);
  CHECK(code("\xc0", 1) == Code::kInvalidArgument);
  CHECK(code("t", kLanMessageBytesMax + 1) == Code::kMessageTooLarge);
  CHECK(code("t", kLanMessageBytesMax) == Code::kOk);
  CHECK(code("t", 0) == Code::kOk);
  for (std::uint64_t i = 2; i < kSendLimit.burst_bytes; ++i) CHECK(code("t", 1) == Code::kOk);
  CHECK(code("t", 1) == Code::kRateLimited);
}

TEST_CASE("topics and messages that wait have bounds") {
  Member a(1, 1);
  for (std::size_t n = 1; n < kLanTopicsMax; ++n) REQUIRE(a.lan.join("t" + std::to_string(n)));
  CHECK(a.lan.join("one more").error().code == Code::kLimitMemory);
  CHECK(a.lan.join("t"));
  Instant now = kBegin;
  for (std::size_t n = 0; n < kOutboundMax; ++n) {
    REQUIRE(a.lan.send(now, "t", {}));
    now = now + milliseconds(10);
  }
  CHECK(a.lan.send(now, "t", {}).error().code == Code::kWouldBlock);
}

TEST_CASE("what waits to be sent is due at once") {
  Member a(1, 1);
  CHECK(a.lan.next_deadline() == kNever);
  REQUIRE(a.lan.send(kBegin + seconds(1), "t", {}));
  CHECK(a.lan.next_deadline() == kBegin + seconds(1));
  Bytes buffer(2000);
  Transmit transmit;
  while (a.lan.poll_transmit(buffer, transmit)) {}
  CHECK(a.lan.next_deadline() == kNever);
}

TEST_CASE("an interface in each subnet sends, IPv6 by its link-local address, broadcast to the subnet") {
  const auto targets = [](bool broadcast) {
    Outbound outbound(kPort, broadcast);
    outbound.set_socket(false, 1);
    outbound.set_socket(true, 2);
    outbound.set_interfaces({{ip(7), 24, 0},
                             {IpAddress::parse("192.168.5.9").value(), 22, 0},
                             {IpAddress::parse("10.9.9.9").value(), 32, 0},
                             {IpAddress::parse("2001:db8::1").value(), 64, 0},
                             {IpAddress::parse("fe80::1").value(), 64, 3}});
    outbound.to_all({1, 2, 3});
    std::vector<std::string> out;
    Bytes buffer(100);
    Transmit transmit;
    while (outbound.poll(buffer, transmit)) {
      out.push_back(transmit.local.ip.to_string() + ">" + transmit.remote.to_string());
    }
    return out;
  };
  CHECK(targets(false) == Texts{"10.0.0.7>239.255.112.50:4010", "192.168.5.9>239.255.112.50:4010",
                                "10.9.9.9>239.255.112.50:4010", "fe80::1>[ff12::7032:706c%3]:4010"});
  CHECK(targets(true) == Texts{"10.0.0.7>10.0.0.255:4010", "192.168.5.9>192.168.7.255:4010",
                               "10.9.9.9>255.255.255.255:4010", "fe80::1>[ff12::7032:706c%3]:4010"});
}

}  // namespace
}  // namespace p2pa::lan
