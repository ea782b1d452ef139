// The datagrams and frames of a UDP session, byte by byte (docs/wire/udp.md).

#include <catch2/catch.hpp>

#include "base/varint.hpp"
#include "support/hex.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/packet_codec.hpp"

using namespace p2pa;
using namespace p2pa::udp;
using test::from_hex;
using test::to_hex;

namespace {

Bytes encoded(const Frame& frame) {
  Bytes out;
  append(out, frame);
  return out;
}

Result<Frame> decoded(ByteView bytes) {
  ByteReader reader(bytes);
  auto frame = read_frame(reader);
  if (frame) CHECK(reader.at_end());
  return frame;
}

/// What is cut anywhere is malformed, and what is whole comes back as it was.
void check_round_trip(const Frame& frame, std::string_view hex) {
  const Bytes bytes = encoded(frame);
  CHECK(to_hex(bytes) == hex);
  const auto back = decoded(bytes);
  REQUIRE(back);
  CHECK(encoded(*back) == bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decoded(ByteView(bytes).first(n)));
}

}  // namespace

TEST_CASE("an INITIAL is padded, and read back with its cookie or without") {
  const Bytes cookie(kCookieSize, 7), message(kFirstMessageSize, 9);
  for (const ByteView shown : {ByteView{}, ByteView(cookie)}) {
    const Bytes bytes = encode(InitialPacket{0x0102030405060708, shown, message});
    CHECK(bytes.size() == kInitialSize);
    CHECK(to_hex(ByteView(bytes).first(11)) == (shown.empty() ? "0801010203040506070800" : "0801010203040506070818"));
    const auto back = decode_initial(bytes);
    REQUIRE(back);
    CHECK(back->source == 0x0102030405060708);
    CHECK(back->cookie.size() == shown.size());
    CHECK(to_hex(back->message) == to_hex(message));
    CHECK_FALSE(decode_initial(ByteView(bytes).first(kInitialSize - 1)));
  }
}

TEST_CASE("an INITIAL of another version, or with half a cookie, is refused") {
  Bytes bytes = encode(InitialPacket{1, {}, Bytes(kFirstMessageSize)});
  bytes[1] = 2;
  CHECK(decode_initial(bytes).error().code == Code::kUnsupported);
  bytes[1] = kVersion;
  bytes[10] = 12;
  CHECK(decode_initial(bytes).error().code == Code::kMalformed);
}

TEST_CASE("the other datagrams come back as they were, and no other type is taken for them") {
  const Bytes cookie(kCookieSize, 7), message(200, 9);
  const Bytes a = encode(CookiePacket{5, cookie}), b = encode(ResponsePacket{5, 6, message}),
              c = encode(FinishPacket{5, message});
  CHECK(decode_cookie(a)->destination == 5);
  CHECK(to_hex(decode_cookie(a)->cookie) == to_hex(cookie));
  CHECK(decode_response(b)->source == 6);
  CHECK(to_hex(decode_response(b)->message) == to_hex(message));
  CHECK(decode_finish(c)->destination == 5);
  CHECK(to_hex(decode_finish(c)->message) == to_hex(message));
  CHECK_FALSE(decode_cookie(b));
  CHECK_FALSE(decode_response(c));
  CHECK_FALSE(decode_finish(a));
  CHECK_FALSE(decode_cookie(ByteView(a).first(a.size() - 1)));
  CHECK_FALSE(decode_response(ByteView(b).first(17)));
  CHECK_FALSE(decode_finish(ByteView(c).first(9)));
  CHECK_FALSE(decode_finish(encode(FinishPacket{5, Bytes(kHandshakeBytesMax)})));
}

TEST_CASE("a DATA packet says phase, id and number, and has room for a challenge") {
  const auto header = encode(DataHeader{0x0102030405060708, 0x1112131415161718, true});
  CHECK(to_hex(header) == "0d01020304050607081112131415161718");
  Bytes packet(header.begin(), header.end());
  CHECK_FALSE(decode_data(packet));
  packet.resize(kDataSizeMin - 1);
  CHECK_FALSE(decode_data(packet));
  packet.resize(kDataSizeMin);
  const auto back = decode_data(packet);
  REQUIRE(back);
  CHECK(back->destination == 0x0102030405060708);
  CHECK(back->number == 0x1112131415161718);
  CHECK(back->phase);
  packet[9] = 0x40;
  CHECK_FALSE(decode_data(packet));
  packet[9] = 0x3f;
  CHECK(decode_data(packet));
  CHECK(kDataHeaderSize + encoded(PathResponseFrame{}).size() + kTagSize == kDataSizeMin);
}

TEST_CASE("first bytes of QUIC, STUN and DTLS are none of ours") {
  for (const int first : {0, 1, 3, 7, 14, 15, 20, 63, 64, 0x40, 0xc0, 0xff}) {
    CHECK_FALSE(decode_type(Bytes{static_cast<std::uint8_t>(first)}));
  }
  CHECK_FALSE(decode_type({}));
}

TEST_CASE("frames are as the page says") {
  const Bytes abc = {'a', 'b', 'c'};
  check_round_trip(PaddingFrame{}, "00");
  check_round_trip(PingFrame{}, "01");
  check_round_trip(CloseFrame{300, abc}, "03ac0203616263");
  check_round_trip(ResetFrame{2, 5, 128}, "0402058001");
  check_round_trip(StopFrame{2, 5}, "050205");
  check_round_trip(MaxDataFrame{9}, "0609");
  check_round_trip(MaxStreamDataFrame{1, 9}, "070109");
  check_round_trip(MaxStreamsFrame{9}, "0809");
  check_round_trip(PathChallengeFrame{{1, 2, 3, 4, 5, 6, 7, 8}}, "090102030405060708");
  check_round_trip(PathResponseFrame{{1, 2, 3, 4, 5, 6, 7, 8}}, "0a0102030405060708");
  check_round_trip(StreamFrame{4, 200, abc, false}, "1004c80103616263");
  check_round_trip(StreamFrame{4, 200, {}, true}, "1104c80100");
  check_round_trip(DatagramFrame{abc}, "1803616263");
  check_round_trip(MessageFrame{Delivery::kSequenced, 3, 7, 5, 2, abc}, "210307050203616263");
  check_round_trip(MessageFrame{Delivery::kOrdered, 63, 0, 0, 0, {}}, "233f00000000");
  check_round_trip(SkipFrame{Delivery::kOrdered, 3, 7}, "2b0307");
}

TEST_CASE("an ACK names its ranges from the newest down") {
  AckFrame ack;
  ack.delay_us = 5;
  ack.storage[0] = {20, 22};
  ack.storage[1] = {10, 18};
  ack.storage[2] = {0, 9};
  ack.count = 3;
  check_round_trip(ack, "021505020101070008");
  const auto back = std::get<AckFrame>(*decoded(encoded(ack)));
  CHECK(back.largest() == 21);
  CHECK(back.storage == ack.storage);
}

TEST_CASE("a frame with values that cannot be is malformed") {
  for (const char* hex : {
           "0c", "0f", "12", "19", "24", "28", "29", "2c", "30", "31", "ff",  // types that there are not
           "0205000006", "020500010200", "0205000100040000",  // an ACK below zero
           "02ff7f0020" "00",                                 // more ranges than an ACK has
           "214000000000", "2a4000",                          // a channel over the bound
           "200000030103616263", "200000050100",              // past the end of its message; without bytes
           "038001",                                          // no reason
           "1004ffffffffffffffff7f0161",                      // past the largest offset
           "1004800000",                                      // a varint that is not minimal
       }) {
    INFO(hex);
    CHECK_FALSE(decoded(from_hex(hex)));
  }
  Bytes reason = encoded(CloseFrame{1, Bytes(kCloseReasonMax + 1, 'x')});
  CHECK_FALSE(decoded(reason));
  CHECK(decoded(encoded(CloseFrame{1, Bytes(kCloseReasonMax, 'x')})));
  CHECK_FALSE(decoded(encoded(MessageFrame{Delivery::kReliable, 0, 0, kSessionMessageBytesMax + 1, 0, Bytes(1)})));
  CHECK(decoded(encoded(MessageFrame{Delivery::kReliable, 0, 0, kSessionMessageBytesMax, 0, Bytes(1)})));
}

TEST_CASE("acknowledgements, padding and the close elicit no acknowledgement, and the rest does") {
  CHECK_FALSE(ack_eliciting(PaddingFrame{}));
  CHECK_FALSE(ack_eliciting(AckFrame{}));
  CHECK_FALSE(ack_eliciting(CloseFrame{}));
  CHECK(ack_eliciting(PingFrame{}));
  CHECK(ack_eliciting(StreamFrame{}));
  CHECK(ack_eliciting(PathChallengeFrame{}));
}
