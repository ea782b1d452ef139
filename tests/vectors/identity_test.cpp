#include <catch2/catch.hpp>

#include <map>

#include "identity/peer_record.hpp"
#include "identity/public_key.hpp"
#include "p2pagents/key_pair.hpp"
#include "support/hex.hpp"
#include "vectors/table.hpp"

using namespace p2pa;
using crypto::KeyType;
using test::from_hex;
using test::read_table;
using test::to_hex;

namespace {
const std::map<std::string, KeyType> kTypes = {{"rsa", KeyType::kRsa},
                                               {"ed25519", KeyType::kEd25519},
                                               {"secp256k1", KeyType::kSecp256k1},
                                               {"ecdsa", KeyType::kEcdsa}};
}

TEST_CASE("published public keys read, write, and name their peer") {
  for (const auto& row : read_table("keys", 3)) {
    INFO(row[0]);
    const auto key = PublicKey::decode(from_hex(row[1]));
    REQUIRE(key);
    CHECK(key->type == kTypes.at(row[0]));
    CHECK(to_hex(key->encode()) == row[1]);
    CHECK(key->peer_id().to_string() == row[2]);
    CHECK(PeerId::from_public_key(from_hex(row[1])) == *PeerId::parse(row[2]));
    // A signature is wanted, but the key was understood.
    CHECK(key->verify(as_bytes("m"), Bytes(64, 1)).error().code == Code::kBadSignature);
  }
}

TEST_CASE("the published Ed25519 private key is read and written, and those of other types are not ours") {
  for (const auto& row : read_table("private_keys", 3)) {
    INFO(row[0]);
    const auto pair = KeyPair::from_protobuf(from_hex(row[1]));
    if (row[0] != "ed25519") {
      CHECK(pair.error().code == Code::kUnsupported);
      continue;
    }
    REQUIRE(pair);
    CHECK(to_hex(pair->to_protobuf()) == row[1]);
    CHECK(to_hex(pair->public_key()) == row[2]);
  }
}

TEST_CASE("published peer ids are the same in base58, as a CID and in binary") {
  for (const auto& row : read_table("peer_ids", 3)) {
    INFO(row[0]);
    const auto id = PeerId::parse(row[0]);
    REQUIRE(id);
    CHECK(id->to_string() == row[0]);
    CHECK(id->to_cid() == row[1]);
    CHECK(to_hex(id->bytes()) == row[2]);
    CHECK(PeerId::parse(row[1]) == *id);
    CHECK(PeerId::from_bytes(from_hex(row[2])) == *id);
  }
}

TEST_CASE("published CIDs of peer ids are read in every base") {
  for (const auto& row : read_table("peer_id_cids", 2)) {
    INFO(row[0]);
    CHECK(PeerId::parse(row[0])->to_string() == row[1]);
  }
}

TEST_CASE("another library's signatures verify, and fail over any other message") {
  const ByteView message = as_bytes("p2pagents signs this");
  for (const auto& row : read_table("signatures", 4)) {
    INFO(row[1]);
    const PublicKey key{kTypes.at(row[0]), from_hex(row[2])};
    const Bytes signature = from_hex(row[3]);
    const bool refused = row[1] == "rsa-1024" || row[1] == "rsa-pss-key";
    if (refused) {
      CHECK(key.verify(message, signature).error().code == Code::kBadKey);
      continue;
    }
    CHECK(key.verify(message, signature));
    CHECK(key.verify(as_bytes("p2pagents signs that"), signature).error().code ==
          Code::kBadSignature);
    Bytes damaged = signature;
    damaged[damaged.size() / 2] ^= 1;
    CHECK(key.verify(message, damaged).error().code == Code::kBadSignature);
  }
}

TEST_CASE("the identity signature of a published libp2p certificate verifies") {
  // libp2p/specs tls/tls.md, the ECDSA example: the host key signs the certificate's key.
  const auto host = PublicKey::decode(
      from_hex("0803125b3059301306072a8648ce3d020106082a8648ce3d0301070342000484b93fa456a74bd0153919f0"
               "36db7bc63c802f055bc7023395d0203de718ee0fc7b570b767cdd858aca6c7c4113ff002e78bd2138ac1a3"
               "b26dde3519e06979ad"));
  REQUIRE(host);
  Bytes message;
  const ByteView prefix = as_bytes("libp2p-tls-handshake:");
  message.assign(prefix.begin(), prefix.end());
  const Bytes spki =
      from_hex("3059301306072a8648ce3d020106082a8648ce3d030107034200048dbf1116c7c608d6d5292bd826c3feb5"
               "3483a89fce434bf64538a359c8e07538ff71f6766239be6a146dcc1a5f3bb934bcd4ae2ae1d4da28ac68b4"
               "a20593f06b");
  message.insert(message.end(), spki.begin(), spki.end());
  const Bytes signature =
      from_hex("3046022100bc84014cea5a41feabdf4c161096564b9ccf4b62fbef4fe1cd382c84e11101780221009204f0"
               "86a84cb8ed8a9ddd7868dc90c792ee434adf62c66f99a08a5eba11615b");
  CHECK(host->verify(message, signature));
  message.back() ^= 1;
  CHECK_FALSE(host->verify(message, signature));
}

TEST_CASE("sealed peer records open, and are sealed the same") {
  for (const auto& row : read_table("peer_records", 3)) {
    INFO(row[0]);
    const KeyPair key = KeyPair::from_seed(from_hex(row[1]));
    const auto record = PeerRecord::open_from(key.peer_id(), from_hex(row[2]));
    REQUIRE(record);
    CHECK(record->sequence == 1'700'000'000);
    REQUIRE(record->addresses.size() == 2);
    CHECK(record->addresses[0].to_string() == "/ip4/192.0.2.1/udp/4001/quic-v1");
    CHECK(record->addresses[1].to_string() == "/ip6/2001:db8::1/tcp/4001");
    if (row[0] == "standard") CHECK(to_hex(record->seal(key)) == row[2]);
  }
}
