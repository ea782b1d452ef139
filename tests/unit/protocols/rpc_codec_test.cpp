#include <catch2/catch.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/byte_reader.hpp"
#include "base/varint.hpp"
#include "protocols/rpc/rpc_codec.hpp"

using namespace p2pa;
using namespace p2pa::rpc;

namespace {

constexpr std::size_t kMax = 1 << 20;

/// Hex digits of a file; blanks separate, '#' begins a comment.
Bytes read_hex(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::string digits, line;
  while (std::getline(file, line)) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
    }
  }
  Bytes out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

template <class T>
Bytes encoded(const T& frame) {
  Bytes out;
  append_frame(out, frame);
  return out;
}

/// The frame without its length, checked against it.
ByteView body(const Bytes& frame) {
  ByteReader reader(frame);
  const auto length = read_varint(reader);
  REQUIRE(length);
  REQUIRE(*length == reader.remaining());
  return reader.rest();
}

Result<Frame> decoded(std::initializer_list<int> bytes) {
  static Bytes kept;
  kept.clear();
  for (const int b : bytes) kept.push_back(static_cast<std::uint8_t>(b));
  return decode_frame(kept, kMax);
}

std::filesystem::path vectors() { return std::filesystem::path(P2PA_SOURCE_DIR) / "tests/vectors/rpc"; }

}  // namespace

TEST_CASE("the frozen frames of rpc are what we write", "[rpc]") {
  const std::string long_name(255, 'm');
  const Bytes kilo(300, 0x5a);
  const std::map<std::string, Bytes> written = {
      {"request_unary", encoded(Request{"echo", 30'000, false, as_bytes("hello")})},
      {"request_streaming", encoded(Request{"sum", 0, false, std::nullopt})},
      {"request_one_way", encoded(Request{"log", 5'000, true, as_bytes("x")})},
      {"request_empty_message", encoded(Request{"ping", 1, false, ByteView{}})},
      {"request_longest_name", encoded(Request{long_name, 86'400'000, false, std::nullopt})},
      {"request_utf8_name", encoded(Request{"gr\xc3\xbc\xc3\x9f", 0, false, std::nullopt})},
      {"message", encoded(Message{as_bytes("hello")})},
      {"message_empty", encoded(Message{})},
      {"message_300", encoded(Message{kilo})},
      {"error", encoded(Failure{42, "no such document", as_bytes("\x01\x02")})},
      {"error_negative", encoded(Failure{-7, "", {}})},
      {"refusal_no_such_method", encoded(Refusal{-301, 0})},
      {"refusal_limit_calls", encoded(Refusal{-504, 16'384})},
  };
  for (const auto& [name, frame] : written) {
    INFO(name);
    CHECK(read_hex(vectors() / (name + ".hex")) == frame);
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors())) {
    files += entry.path().extension() == ".hex" ? 1u : 0u;
  }
  CHECK(files == written.size() + 12);  // and the bad ones below
}

TEST_CASE("the frozen frames of rpc are read as what they mean", "[rpc]") {
  const Bytes unary = read_hex(vectors() / "request_unary.hex");
  const auto request = std::get<Request>(*decode_frame(body(unary), kMax));
  CHECK(request.method == "echo");
  CHECK(request.deadline_ms == 30'000);
  CHECK_FALSE(request.one_way);
  CHECK(as_text(*request.message) == "hello");

  const Bytes streaming = read_hex(vectors() / "request_streaming.hex");
  CHECK_FALSE(std::get<Request>(*decode_frame(body(streaming), kMax)).message);
  const Bytes one_way = read_hex(vectors() / "request_one_way.hex");
  CHECK(std::get<Request>(*decode_frame(body(one_way), kMax)).one_way);
  const Bytes empty = read_hex(vectors() / "request_empty_message.hex");
  CHECK(std::get<Request>(*decode_frame(body(empty), kMax)).message->empty());

  const Bytes error = read_hex(vectors() / "error.hex");
  const auto failure = std::get<Failure>(*decode_frame(body(error), kMax));
  CHECK(failure.code == 42);
  CHECK(failure.text == "no such document");
  CHECK(as_text(failure.data) == "\x01\x02");
  const Bytes negative = read_hex(vectors() / "error_negative.hex");
  CHECK(std::get<Failure>(*decode_frame(body(negative), kMax)).code == -7);

  const Bytes limit = read_hex(vectors() / "refusal_limit_calls.hex");
  const auto refusal = std::get<Refusal>(*decode_frame(body(limit), kMax));
  CHECK(refusal.code == -504);
  CHECK(refusal.detail == 16'384);
}

TEST_CASE("bad frames of rpc are refused", "[rpc]") {
  for (const char* name :
       {"bad_not_an_array", "bad_unknown_type", "bad_type_is_text", "bad_request_without_name",
        "bad_request_name_not_utf8", "bad_request_unknown_flag", "bad_request_negative_deadline",
        "bad_message_is_text", "bad_message_cut", "bad_trailing_byte", "bad_error_code_too_large",
        "bad_refusal_short"}) {
    INFO(name);
    const Bytes frame = read_hex(vectors() / (std::string(name) + ".hex"));
    const auto result = decode_frame(body(frame), kMax);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::kProtocolViolation);
  }
}

TEST_CASE("an rpc frame that is cut anywhere is refused", "[rpc]") {
  for (const Bytes& frame : {encoded(Request{"echo", 30'000, true, as_bytes("hello")}),
                             encoded(Message{as_bytes("hello")}),
                             encoded(Failure{1, "text", as_bytes("data")}), encoded(Refusal{-504, 70'000})}) {
    const ByteView whole = body(frame);
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(decode_frame(whole.first(n), kMax));
  }
}

TEST_CASE("any legal msgpack form of an rpc frame is read", "[rpc]") {
  // array16, uint8, str8, uint64, uint8, bin32
  const auto frame = decoded({0xdc, 0, 5, 0xcc, 0, 0xd9, 1, 'a', 0xcf, 0, 0, 0, 0, 0, 0, 0, 9, 0xcc, 1,
                              0xc6, 0, 0, 0, 1, 'x'});
  REQUIRE(frame);
  const auto request = std::get<Request>(*frame);
  CHECK(request.method == "a");
  CHECK(request.deadline_ms == 9);
  CHECK(request.one_way);
}

TEST_CASE("an rpc message one byte over the limit is refused, one at the limit is not", "[rpc]") {
  const Bytes payload(100, 1);
  const Bytes frame = encoded(Message{payload});
  CHECK(decode_frame(body(frame), 100));
  const auto over = decode_frame(body(frame), 99);
  REQUIRE_FALSE(over);
  CHECK(over.error() == Error{Code::kMessageTooLarge, 99, ""});
  const Bytes failure = encoded(Failure{1, "", payload});
  CHECK(decode_frame(body(failure), 99).error().code == Code::kMessageTooLarge);
}

TEST_CASE("an rpc method name has 1 to 255 bytes of UTF-8", "[rpc]") {
  CHECK(valid_method(std::string(255, 'm')));
  CHECK_FALSE(valid_method(std::string(256, 'm')));
  CHECK_FALSE(valid_method(""));
  CHECK_FALSE(valid_method("\xff"));
  CHECK_FALSE(valid_method("\xc0\x80"));
  CHECK_FALSE(valid_method("\xed\xa0\x80"));
  const Bytes frame = encoded(Request{std::string(256, 'm'), 0, false, std::nullopt});
  CHECK_FALSE(decode_frame(body(frame), kMax));
}

TEST_CASE("an rpc error's text is cut and made UTF-8 before it is sent", "[rpc]") {
  const Bytes frame = encoded(Failure{1, std::string(5000, 'a') , {}});
  CHECK(std::get<Failure>(*decode_frame(body(frame), kMax)).text.size() == kErrorTextBytesMax);
  const Bytes dirty = encoded(Failure{1, "a\xff" "b", {}});
  CHECK(std::get<Failure>(*decode_frame(body(dirty), kMax)).text == "a?b");
  // One over what we would send.
  Bytes long_text = {0x94, 2, 1, 0xda, 0x10, 0x01};
  long_text.insert(long_text.end(), kErrorTextBytesMax + 1, 'a');
  long_text.insert(long_text.end(), {0xc4, 0});
  CHECK_FALSE(decode_frame(long_text, kMax));
}
