#include <catch2/catch.hpp>

#include "identity/envelope.hpp"
#include "identity/peer_record.hpp"
#include "protocols/identify/identify.hpp"
#include "support/two_hosts.hpp"
#include "wire/protobuf.hpp"

using namespace p2pa;
using namespace p2pa::test;
using identify::Identify;

namespace {

Multiaddr address(std::string_view text) {
  const auto parsed = Multiaddr::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

/// One real identify with what it says and was told.
struct RealNode {
  RealNode(StreamOpener& opener, std::uint8_t seed) : key(key_of(seed)), identify(context(opener)) {}

  identify::Context context(StreamOpener& opener) {
    return {.opener = opener,
            .key = key,
            .agent_version = "test/1",
            .record_sequence = 100,
            .addresses = [this] { return addresses; },
            .protocols = [this] { return protocols; },
            .identified = [this](PeerInfo info) { told.push_back(std::move(info)); }};
  }

  KeyPair key;
  std::vector<Multiaddr> addresses{address("/ip4/192.0.2.1/udp/4001/quic-v1")};
  std::vector<std::string> protocols{"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/test/1"};
  std::vector<PeerInfo> told;
  Identify identify;
};

struct TwoNodes {
  explicit TwoNodes(memory::Config config = {})
      : hosts(config), here(hosts.dialer, 1), there(hosts.listener, 2) {
    hosts.dialer.add(here.identify);
    hosts.listener.add(there.identify);
  }
  TwoHosts hosts;
  RealNode here, there;
};

/// A real identify that listens, and a hand-made peer that answers it, asks it and pushes.
class OddPeer final : public Protocol {
 public:
  std::vector<std::string> protocol_ids() const override {
    return {std::string(identify::kIdentifyId), std::string(identify::kPushId)};
  }
  void on_stream_open(Instant, Stream& s) override {
    (void)s.write(says);
    if (ends) s.finish();
  }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant now, Stream& s) override { pushed.on_readable(now, s); }
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant, Stream&, const Error& why) override { closed = why; }
  Bytes says;
  bool ends = true;
  RawPeer pushed;
  std::optional<Error> closed;
};

struct OddWorld {
  explicit OddWorld(Bytes says, bool ends = true) : key(key_of(1)), node(hosts.listener, 2) {
    odd.says = std::move(says);
    odd.ends = ends;
    hosts.listener.add(node.identify);
    hosts.dialer.add(odd);
    hosts.settle();
  }
  /// Opens a push stream of the odd peer.
  RawPeer& push(const Bytes& bytes) {
    pushes.push_back(std::make_unique<RawPeer>());
    Stream& stream = hosts.dialer.open_raw(identify::kPushId, *pushes.back());
    REQUIRE(stream.write(bytes));
    stream.finish();
    hosts.run_for(milliseconds(50));
    return *pushes.back();
  }
  TwoHosts hosts;
  KeyPair key;
  OddPeer odd;
  RealNode node;
  std::vector<std::unique_ptr<RawPeer>> pushes;
};

identify::Message honest(std::uint8_t seed = 1) {
  const KeyPair key = key_of(seed);
  identify::Message message;
  message.public_key.emplace(key.public_key().begin(), key.public_key().end());
  message.agent_version = "odd/2";
  message.protocol_version = "odd/1";
  message.protocols = {"/odd/1", std::string(identify::kPushId)};
  message.listen_addresses = {address("/ip4/198.51.100.7/udp/9/quic-v1")};
  return message;
}

Bytes framed(const identify::Message& message) {
  Bytes out;
  wire::append_frame(out, identify::encode(message));
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes record_of(std::uint8_t seed, std::uint64_t sequence, std::string_view where) {
  const KeyPair key = key_of(seed);
  return PeerRecord{key.peer_id(), sequence, {address(where)}}.seal(key);
}

}  // namespace

TEST_CASE("two nodes tell each other who they are on a new connection", "[identify]") {
  TwoNodes nodes;
  nodes.hosts.settle();
  REQUIRE(nodes.here.told.size() == 1);
  REQUIRE(nodes.there.told.size() == 1);
  const PeerInfo& info = nodes.here.told[0];
  CHECK(info.peer == nodes.hosts.listener_id);
  CHECK(info.agent_version == "test/1");
  CHECK(info.protocol_version == identify::kProtocolVersion);
  CHECK(info.protocols == nodes.there.protocols);
  CHECK(info.listen_addresses == nodes.there.addresses);
  CHECK(info.observed_address == nodes.hosts.dialer.connection().local_address());
  CHECK(nodes.hosts.dialer.opened_with.at(0).connection == nodes.hosts.dialer.connection().id());
  CHECK_FALSE(nodes.hosts.dialer.opened_with.at(0).may_dial);
  CHECK(nodes.hosts.dialer.streams_count() == 0);
  CHECK(nodes.hosts.listener.streams_count() == 0);
}

TEST_CASE("identify works when every byte arrives alone", "[identify]") {
  TwoNodes nodes({.segment_bytes_max = 1});
  nodes.hosts.settle();
  CHECK(nodes.here.told.size() == 1);
}

TEST_CASE("our own peer id is not part of the addresses we tell", "[identify]") {
  TwoNodes nodes;
  const Multiaddr bare = nodes.there.addresses[0];
  nodes.there.addresses[0] = bare.with_peer_id(nodes.hosts.listener_id);
  nodes.hosts.settle();
  CHECK(nodes.here.told.at(0).listen_addresses == std::vector<Multiaddr>{bare});
}

TEST_CASE("what we say fits one message of 4,096 bytes, or two with the record alone in the second", "[identify]") {
  for (const int count : {1, 20, 60, 500}) {
    TwoHosts hosts;
    RealNode node(hosts.listener, 2);
    node.addresses.clear();
    for (int i = 0; i < count; ++i) {
      node.addresses.push_back(address("/ip6/2001:db8::" + std::to_string(i) + "/udp/4001/quic-v1"));
    }
    hosts.listener.add(node.identify);
    RawPeer asker;
    hosts.dialer.open_raw(identify::kIdentifyId, asker).finish();
    hosts.settle();
    REQUIRE(asker.at_end);
    wire::FrameReader frames(identify::kMessageBytesMax);
    ByteView rest = asker.received;
    std::vector<identify::Message> messages;
    std::size_t first_size = 0;
    while (!rest.empty()) {
      const auto step = frames.next(rest);
      REQUIRE(step);
      REQUIRE(step->frame);
      if (messages.empty()) first_size = step->consumed;
      REQUIRE(identify::merge(*step->frame, messages.emplace_back()));
      rest = rest.subspan(step->consumed);
    }
    CHECK(first_size <= identify::kSentBytesMax);
    CHECK(messages.size() == (count <= 60 ? 1u : 2u));
    CHECK(messages[0].protocols == node.protocols);
    CHECK(messages[0].public_key);
    CHECK(messages[0].observed_address);
    REQUIRE(messages.back().signed_peer_record);
    CHECK(messages.back().signed_peer_record->size() <= identify::kMessageBytesMax);
    const auto record = PeerRecord::open_from(hosts.listener_id, *messages.back().signed_peer_record);
    REQUIRE(record);
    CHECK(record->addresses.size() == std::min<std::size_t>(node.addresses.size(), PeerRecord::kAddressesMax));
    CHECK(record->addresses.front() == node.addresses.front());
  }
}

TEST_CASE("a protocol too long for what is left of a message does not keep shorter ones out", "[identify]") {
  TwoNodes nodes;
  for (char last = 'a'; last <= 'z'; ++last) nodes.there.protocols.push_back(std::string(240, 'w') + last);
  nodes.there.protocols.push_back("/short/1");
  nodes.hosts.settle();
  const std::vector<std::string>& told = nodes.here.told.at(0).protocols;
  CHECK(told.size() < nodes.there.protocols.size());
  CHECK(told.back() == "/short/1");
}

TEST_CASE("an answer in several messages is merged", "[identify]") {
  identify::Message first = honest(), second, third;
  first.agent_version.reset();
  second.agent_version = "odd/3";
  second.protocols = {"/odd/2"};
  third.signed_peer_record = record_of(1, 5, "/ip4/203.0.113.5/udp/5/quic-v1");
  OddWorld world(framed(first) + framed(second) + framed(third));
  REQUIRE(world.node.told.size() == 1);
  CHECK(world.node.told[0].agent_version == "odd/3");
  CHECK(world.node.told[0].protocols.back() == "/odd/2");
  CHECK(world.node.told[0].protocols.size() == 3);
  CHECK(world.node.told[0].listen_addresses ==
        std::vector<Multiaddr>{address("/ip4/203.0.113.5/udp/5/quic-v1")});
}

TEST_CASE("the record in rust's older form is accepted as well", "[identify]") {
  const KeyPair key = key_of(1);
  const PeerRecord record{key.peer_id(), 3, {address("/ip4/203.0.113.6/udp/6/quic-v1")}};
  identify::Message message = honest();
  message.signed_peer_record = Envelope::seal(key, "libp2p-routing-state",
                                              as_bytes("/libp2p/routing-state-record"), record.encode());
  OddWorld world(framed(message));
  REQUIRE(world.node.told.size() == 1);
  CHECK(world.node.told[0].listen_addresses == record.addresses);
}

TEST_CASE("a record that is another's, forged or older is not believed", "[identify]") {
  Bytes forged = record_of(1, 9, "/ip4/203.0.113.5/udp/5/quic-v1");
  forged.back() ^= 1;
  for (const Bytes& record : {record_of(3, 9, "/ip4/203.0.113.5/udp/5/quic-v1"), forged, Bytes{1, 2, 3}}) {
    identify::Message message = honest();
    message.signed_peer_record = record;
    OddWorld world(framed(message));
    REQUIRE(world.node.told.size() == 1);
    CHECK(world.node.told[0].listen_addresses == *message.listen_addresses);
  }
  identify::Message newest = honest();
  newest.signed_peer_record = record_of(1, 9, "/ip4/203.0.113.9/udp/9/quic-v1");
  OddWorld world(framed(newest));
  identify::Message older;
  older.signed_peer_record = record_of(1, 8, "/ip4/203.0.113.8/udp/8/quic-v1");
  world.push(framed(older));
  REQUIRE(world.node.told.size() == 2);
  CHECK(world.node.told[1].listen_addresses == std::vector<Multiaddr>{address("/ip4/203.0.113.9/udp/9/quic-v1")});
}

TEST_CASE("an answer with another peer's key or without one is nobody's", "[identify]") {
  identify::Message nameless = honest();
  nameless.public_key.reset();
  CHECK(OddWorld(framed(honest(3))).node.told.empty());
  CHECK(OddWorld(framed(nameless)).node.told.empty());
}

TEST_CASE("what is no answer is refused and leaves nothing behind", "[identify]") {
  const Bytes cut = framed(honest());
  Bytes eleven;
  for (int i = 0; i <= identify::kMessagesMax; ++i) eleven = eleven + framed(honest());
  Bytes too_long;
  wire::append_frame(too_long, Bytes(identify::kMessageBytesMax + 1));
  for (const Bytes& said : {Bytes{}, Bytes(cut.begin(), cut.end() - 1), eleven, too_long, Bytes{3, 0x0a, 0x7f, 1},
                            Bytes{2, 0x08, 1}, Bytes{0x80, 0}}) {
    OddWorld world(said);
    CHECK(world.node.told.empty());
    world.hosts.run_for(seconds(20));
    CHECK(world.hosts.listener.streams_count() == 0);
    CHECK(world.node.identify.next_deadline() == kNever);
  }
  Bytes ten;
  for (int i = 0; i < identify::kMessagesMax; ++i) ten = ten + framed(honest());
  CHECK(OddWorld(ten).node.told.size() == 1);
}

TEST_CASE("a peer that does not end its answer is given up", "[identify]") {
  OddWorld world(framed(honest()), false);
  CHECK(world.node.told.empty());
  world.hosts.run_for(identify::kTimeout + seconds(1));
  CHECK(world.node.told.empty());
  CHECK(world.hosts.listener.streams_count() == 0);
}

TEST_CASE("of what a peer claims only so much is kept", "[identify]") {
  identify::Message many = honest(), rest;
  for (std::size_t i = 0; i < identify::kProtocolsMax + 10; ++i) many.protocols->push_back("/p/" + std::to_string(i));
  for (std::size_t i = 0; i < identify::kAddressesMax + 1; ++i) {
    many.listen_addresses->push_back(address("/ip4/192.0.2.1/udp/" + std::to_string(i + 1) + "/quic-v1"));
  }
  rest.protocols = {std::string(identify::kProtocolBytesMax + 1, 'p')};
  rest.agent_version = std::string(identify::kVersionBytesMax + 1, 'v');
  OddWorld world(framed(many) + framed(rest));
  REQUIRE(world.node.told.size() == 1);
  CHECK(world.node.told[0].protocols.size() == identify::kProtocolsMax);
  CHECK(world.node.told[0].listen_addresses.size() == identify::kAddressesMax);
  CHECK(world.node.told[0].agent_version == "odd/2");
}

TEST_CASE("addresses we cannot read and texts that are not UTF-8 are left out", "[identify]") {
  const Bytes message = identify::encode(honest());
  Bytes all = message;
  wire::ProtoWriter writer(all);
  writer.bytes(2, Bytes{0xff, 0xff});
  writer.text(3, "/bad\xff");
  writer.text(3, "");
  writer.text(6, "\xc0\x80");
  writer.bytes(4, Bytes{1});
  writer.bytes(7, Bytes{1});
  writer.varint(99, 1);
  Bytes said;
  wire::append_frame(said, all);
  OddWorld world(said);
  REQUIRE(world.node.told.size() == 1);
  CHECK(world.node.told[0].listen_addresses.size() == 1);
  CHECK(world.node.told[0].protocols.size() == 2);
  CHECK(world.node.told[0].agent_version == "odd/2");
  CHECK_FALSE(world.node.told[0].observed_address);
}

TEST_CASE("a change of ours is pushed to peers that take pushes", "[identify]") {
  TwoNodes nodes;
  nodes.hosts.settle();
  nodes.there.protocols.push_back("/new/1");
  nodes.there.identify.local_changed(nodes.hosts.now);
  nodes.there.identify.local_changed(nodes.hosts.now);
  nodes.hosts.settle();
  REQUIRE(nodes.here.told.size() == 2);
  CHECK(nodes.here.told[1].protocols.back() == "/new/1");
  CHECK(nodes.here.told[1].agent_version == "test/1");
  CHECK(nodes.there.told.size() == 1);
}

TEST_CASE("many changes become few pushes", "[identify]") {
  TwoNodes nodes;
  nodes.hosts.settle();
  const std::size_t before = nodes.hosts.listener.opens_count;
  for (int i = 0; i < 100; ++i) {
    nodes.there.addresses = {address("/ip4/192.0.2.1/udp/" + std::to_string(5000 + i) + "/quic-v1")};
    nodes.there.identify.local_changed(nodes.hosts.now);
    nodes.hosts.run_for(milliseconds(100));
  }
  nodes.hosts.run_for(seconds(10));
  CHECK(nodes.hosts.listener.opens_count - before <= 4);
  CHECK(nodes.here.told.back().listen_addresses == nodes.there.addresses);
}

TEST_CASE("nothing is pushed to a peer that takes none", "[identify]") {
  identify::Message message = honest();
  message.protocols = {"/odd/1"};
  OddWorld world(framed(message));
  RawPeer asker;
  world.hosts.dialer.open_raw(identify::kIdentifyId, asker).finish();
  world.hosts.settle();
  const std::size_t before = world.hosts.listener.opens_count;
  world.node.identify.local_changed(world.hosts.now);
  world.hosts.run_for(seconds(20));
  CHECK(world.hosts.listener.opens_count == before);
}

TEST_CASE("what a push leaves out stays as it was", "[identify]") {
  OddWorld world(framed(honest()));
  identify::Message change;
  change.protocols = {"/odd/9"};
  world.push(framed(change));
  REQUIRE(world.node.told.size() == 2);
  CHECK(world.node.told[1].protocols == std::vector<std::string>{"/odd/9"});
  CHECK(world.node.told[1].agent_version == "odd/2");
  CHECK(world.node.told[1].listen_addresses.size() == 1);
}

TEST_CASE("a push with another's key changes nothing", "[identify]") {
  OddWorld world(framed(honest()));
  world.push(framed(honest(3)));
  CHECK(world.node.told.size() == 1);
}

TEST_CASE("one push over the burst is reset, and later pushes are heard again", "[identify]") {
  OddWorld world(framed(honest()));
  for (int i = 0; i < identify::kPushBurst; ++i) CHECK(world.push(framed(honest())).closed->code == Code::kOk);
  const RawPeer& over = world.push(framed(honest()));
  REQUIRE(over.closed);
  CHECK(*over.closed == Error{Code::kStreamReset, wire_code::kStreamRateLimited, ""});
  CHECK(world.node.told.size() == 1 + static_cast<std::size_t>(identify::kPushBurst));
  world.hosts.run_for(identify::kPushInterval);
  CHECK(world.push(framed(honest())).closed->code == Code::kOk);
}

TEST_CASE("a peer that is gone is forgotten", "[identify]") {
  TwoNodes nodes;
  nodes.hosts.settle();
  nodes.hosts.pair.lose();
  nodes.hosts.settle();
  const std::size_t before = nodes.hosts.dialer.opens_count;
  nodes.here.identify.local_changed(nodes.hosts.now);
  nodes.hosts.run_for(seconds(20));
  CHECK(nodes.hosts.dialer.opens_count == before);
  CHECK(nodes.here.identify.next_deadline() == kNever);
}
