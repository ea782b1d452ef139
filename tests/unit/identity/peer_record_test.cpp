#include <catch2/catch.hpp>

#include <limits>

#include "identity/envelope.hpp"
#include "identity/peer_record.hpp"
#include "support/hex.hpp"
#include "wire/protobuf.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

namespace {

const std::string_view kStandardDomain = "libp2p-peer-record", kLegacyDomain = "libp2p-routing-state";
const std::string_view kLegacyType = "/libp2p/routing-state-record";

KeyPair key_of(std::uint8_t n) { return KeyPair::from_seed(Bytes(32, n)); }

PeerRecord record_of(const KeyPair& key) {
  return {key.peer_id(), 42,
          {*Multiaddr::parse("/ip4/192.0.2.1/udp/4001/quic-v1"), *Multiaddr::parse("/ip6/2001:db8::1/tcp/4001")}};
}

Bytes record_with(const PeerId& peer, const std::vector<Bytes>& addresses) {
  Bytes out;
  wire::ProtoWriter writer(out);
  writer.bytes(1, peer.bytes());
  writer.varint(2, 1);
  for (const Bytes& address : addresses) {
    Bytes info;
    wire::ProtoWriter(info).bytes(1, address);
    writer.bytes(3, info);
  }
  return out;
}

}  // namespace

TEST_CASE("an envelope opens for its own purpose, with what was put in") {
  const KeyPair key = key_of(1);
  const Bytes sealed = Envelope::seal(key, "purpose", as_bytes("kind"), as_bytes("payload"));
  const auto envelope = Envelope::open(sealed, "purpose");
  REQUIRE(envelope);
  CHECK(envelope->key.peer_id() == key.peer_id());
  CHECK(as_text(envelope->payload_type) == "kind");
  CHECK(as_text(envelope->payload) == "payload");
}

TEST_CASE("an envelope for another purpose is a bad signature") {
  const Bytes sealed = Envelope::seal(key_of(1), "purpose", as_bytes("kind"), as_bytes("payload"));
  CHECK(Envelope::open(sealed, "purposE").error().code == Code::kBadSignature);
  CHECK(Envelope::open(sealed, "").error().code == Code::kBadSignature);
}

TEST_CASE("the parts of what is signed cannot run into each other") {
  const KeyPair key = key_of(1);
  const auto signature_of = [&](std::string_view domain, std::string_view type, std::string_view payload) {
    return Envelope::decode(Envelope::seal(key, domain, as_bytes(type), as_bytes(payload)))->signature;
  };
  CHECK(signature_of("ab", "c", "d") != signature_of("a", "bc", "d"));
  CHECK(signature_of("a", "bc", "d") != signature_of("a", "b", "cd"));
}

TEST_CASE("an envelope damaged in any byte does not open") {
  const Bytes sealed = Envelope::seal(key_of(1), "purpose", as_bytes("kind"), as_bytes("payload"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes damaged = sealed;
    damaged[i] ^= 0x01;
    INFO(i);
    CHECK_FALSE(Envelope::open(damaged, "purpose"));
    CHECK_FALSE(Envelope::open(ByteView(sealed).first(i), "purpose"));
  }
}

TEST_CASE("an envelope without one of its fields is malformed") {
  const KeyPair key = key_of(1);
  for (const std::uint32_t missing : {1u, 2u, 5u}) {
    Bytes out;
    wire::ProtoWriter writer(out);
    for (const std::uint32_t field : {1u, 2u, 3u, 5u}) {
      if (field != missing) writer.bytes(field, field == 1 ? key.public_key() : as_bytes("x"));
    }
    CHECK(Envelope::open(out, "purpose").error().code == Code::kMalformed);
  }
  CHECK(Envelope::open({}, "purpose").error().code == Code::kMalformed);
  CHECK(Envelope::open(from_hex("0801"), "purpose").error().code == Code::kMalformed);
}

TEST_CASE("an envelope over the bound is not looked at") {
  const KeyPair key = key_of(1);
  const std::size_t overhead = Envelope::seal(key, "d", as_bytes("k"), Bytes(10'000)).size() - 10'000;
  const Bytes longest = Envelope::seal(key, "d", as_bytes("k"), Bytes(Envelope::kBytesMax - overhead));
  REQUIRE(longest.size() == Envelope::kBytesMax);
  CHECK(Envelope::open(longest, "d"));
  const Bytes longer = Envelope::seal(key, "d", as_bytes("k"), Bytes(Envelope::kBytesMax - overhead + 1));
  CHECK(Envelope::open(longer, "d").error() == Error{Code::kMalformed, Envelope::kBytesMax, ""});
}

TEST_CASE("a peer record is sealed in the form that other implementations sign") {
  const KeyPair key = key_of(1);
  const PeerRecord record = record_of(key);
  const Bytes sealed = record.seal(key);
  const auto envelope = Envelope::open(sealed, kStandardDomain);
  REQUIRE(envelope);
  CHECK(to_hex(envelope->payload_type) == "0301");
  CHECK(to_hex(envelope->payload) ==
        "0a26" + to_hex(key.peer_id().bytes()) + "102a" "1a0d0a0b" "04c000020191020fa1cd03" "1a160a14"
        "2920010db8000000000000000000000001060fa1");
  CHECK(PeerRecord::open(sealed) == record);
  CHECK(PeerRecord::open_from(key.peer_id(), sealed) == record);
}

TEST_CASE("a peer record in rust's older form is taken too") {
  const KeyPair key = key_of(1);
  const PeerRecord record = record_of(key);
  const Bytes sealed = Envelope::seal(key, kLegacyDomain, as_bytes(kLegacyType), record.encode());
  CHECK(PeerRecord::open_from(key.peer_id(), sealed) == record);
}

TEST_CASE("domain and payload type of the two forms do not mix") {
  const KeyPair key = key_of(1);
  const Bytes record = record_of(key).encode();
  const Bytes type = from_hex("0301");
  CHECK(PeerRecord::open(Envelope::seal(key, kLegacyDomain, type, record)).error().code == Code::kBadSignature);
  CHECK(PeerRecord::open(Envelope::seal(key, kStandardDomain, as_bytes(kLegacyType), record)).error().code ==
        Code::kBadSignature);
  CHECK(PeerRecord::open(Envelope::seal(key, kStandardDomain, from_hex("0302"), record)).error().code ==
        Code::kMalformed);  // a relay's voucher
  CHECK(PeerRecord::open(Envelope::seal(key, kStandardDomain, from_hex("8106"), record)).error().code ==
        Code::kMalformed);  // 0x0301 as the varint that the RFC means
}

TEST_CASE("a record about another peer than its signer is refused") {  // GHSA-wc36-xgcc-jwpr
  const KeyPair honest = key_of(1), liar = key_of(2);
  const Bytes forged = Envelope::seal(liar, kStandardDomain, from_hex("0301"), record_of(honest).encode());
  CHECK(PeerRecord::open(forged).error().code == Code::kPeerIdMismatch);
  CHECK(PeerRecord::open_from(honest.peer_id(), forged).error().code == Code::kPeerIdMismatch);
  CHECK(PeerRecord::open_from(liar.peer_id(), forged).error().code == Code::kPeerIdMismatch);
}

TEST_CASE("a good record that somebody else sends is not its sender's") {
  const KeyPair key = key_of(1);
  const Bytes sealed = record_of(key).seal(key);
  CHECK(PeerRecord::open_from(key_of(2).peer_id(), sealed).error().code == Code::kPeerIdMismatch);
}

TEST_CASE("sequence numbers use all 64 bits") {
  const KeyPair key = key_of(1);
  PeerRecord record = record_of(key);
  record.sequence = std::numeric_limits<std::uint64_t>::max();
  CHECK(PeerRecord::open(record.seal(key)) == record);
}

TEST_CASE("addresses that we cannot read are left out, the others kept") {
  const PeerId peer = key_of(1).peer_id();
  const auto record =
      PeerRecord::decode(record_with(peer, {from_hex("210001"), from_hex("04ff"), {}, from_hex("061234")}));
  REQUIRE(record);
  REQUIRE(record->addresses.size() == 1);
  CHECK(record->addresses[0].to_string() == "/tcp/4660");
}

TEST_CASE("the addresses of a record are bounded, readable or not") {  // GHSA-gcq9-qqwx-rgj3
  const PeerId peer = key_of(1).peer_id();
  const auto record_of_size = [&](std::size_t n, const char* hex) {
    return PeerRecord::decode(record_with(peer, std::vector<Bytes>(n, from_hex(hex))));
  };
  CHECK(record_of_size(PeerRecord::kAddressesMax, "061234")->addresses.size() == PeerRecord::kAddressesMax);
  CHECK(record_of_size(PeerRecord::kAddressesMax + 1, "061234").error() ==
        Error{Code::kMalformed, PeerRecord::kAddressesMax, ""});
  CHECK_FALSE(record_of_size(PeerRecord::kAddressesMax + 1, "210001"));
}

TEST_CASE("what is no record is malformed") {
  const std::string peer = "0a26" + to_hex(key_of(1).peer_id().bytes());
  CHECK(PeerRecord::decode(from_hex(peer)));
  for (const std::string& hex : {std::string(), std::string("102a"), std::string("0a00"), std::string("0a03000101ff"),
                                 peer + "12" "00", peer + "1a" "02" "08" "01", peer + "1a" "01" "0a", peer + "1801",
                                 peer + "0801", peer + "ff"}) {
    INFO(hex);
    CHECK(PeerRecord::decode(from_hex(hex)).error().code == Code::kMalformed);
  }
}
