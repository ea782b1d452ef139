#include "dns/txt_message.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "support/dns_message.hpp"

using namespace p2pa;
using namespace p2pa::dns;
using test::DnsMessage;

namespace {

constexpr std::uint16_t kTxt = 16, kCname = 5;

std::string text(char c, std::size_t size) { return std::string(size, c); }

}  // namespace

TEST_CASE("the texts of a message come out in order, with the shortest time to live") {
  DnsMessage message("_dnsaddr.example.org", kTxt);
  message.add_text(300, {"one"});
  message.add_text(60, {"two, ", "in pieces"});
  message.add_text(90, {""});
  const auto records = read_txt_message(message.bytes());
  REQUIRE(records.has_value());
  CHECK(records->texts == std::vector<std::string>{"one", "two, in pieces", ""});
  CHECK(records->ttl == seconds(60));
}

TEST_CASE("a record may be longer than one string") {
  DnsMessage message("a", kTxt);
  message.add_text(1, {text('x', 255), text('y', 255), "z"});
  CHECK(read_txt_message(message.bytes())->texts.at(0) == text('x', 255) + text('y', 255) + "z");
}

TEST_CASE("records of other kinds are passed over") {
  DnsMessage message("_dnsaddr.example.org", kTxt);
  message.add_record(kCname, 5, {3, 'f', 'a', 'r', 0});
  message.add_text(60, {"far"});
  const auto records = read_txt_message(message.bytes());
  REQUIRE(records.has_value());
  CHECK(records->texts == std::vector<std::string>{"far"});
  CHECK(records->ttl == seconds(60));
}

TEST_CASE("a message without texts says that there are none") {
  DnsMessage message("a", kTxt);
  CHECK(read_txt_message(message.bytes()).error().code == Code::kNotFound);
  message.add_record(kCname, 5, {0});
  CHECK(read_txt_message(message.bytes()).error().code == Code::kNotFound);
}

TEST_CASE("of very many records the first are taken") {
  DnsMessage message("a", kTxt);
  for (std::size_t i = 0; i <= kRecordsMax; ++i) message.add_text(60, {std::to_string(i)});
  const auto records = read_txt_message(message.bytes());
  REQUIRE(records.has_value());
  CHECK(records->texts.size() == kRecordsMax);
  CHECK(records->texts.back() == std::to_string(kRecordsMax - 1));
}

TEST_CASE("a message that ends anywhere before its end is refused") {
  DnsMessage message("_dnsaddr.example.org", kTxt);
  message.add_text(60, {"dnsaddr=/ip4/192.0.2.1/tcp/1"});
  const Bytes whole = message.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto records = read_txt_message(ByteView(whole).first(size));
    REQUIRE_FALSE(records.has_value());
    CHECK(records.error().code == Code::kMalformed);
  }
  CHECK(read_txt_message(whole).has_value());
}

TEST_CASE("strings that do not fill their record, and labels of a reserved kind, are refused") {
  DnsMessage overrun("a", kTxt);
  overrun.add_record(kTxt, 60, {5, 'x'});
  CHECK(read_txt_message(overrun.bytes()).error().code == Code::kMalformed);
  DnsMessage reserved("a", kTxt);
  reserved.add_text(60, {"x"});
  Bytes bytes = reserved.bytes();
  bytes[12] = 0x41;  // of the question's name
  CHECK(read_txt_message(bytes).error().code == Code::kMalformed);
}

TEST_CASE("a name that points to itself is not followed") {
  DnsMessage message("a", kTxt);
  message.add_text(60, {"x"});
  Bytes bytes = message.bytes();
  bytes[message.answers_begin() + 1] = static_cast<std::uint8_t>(message.answers_begin());
  CHECK(read_txt_message(bytes)->texts.at(0) == "x");
}
