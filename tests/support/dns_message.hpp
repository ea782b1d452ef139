#pragma once
// DNS answers as a name server makes them (RFC 1035 §4).

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_writer.hpp"
#include "p2pagents/bytes.hpp"

namespace p2pa::test {

class DnsMessage {
 public:
  static constexpr std::uint16_t kClassInternet = 1;

  /// An answer to a question; `name` is one that DNS can carry.
  DnsMessage(std::string_view name, std::uint16_t type) {
    put({0, 0, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0});  // a recursive answer without error
    while (!name.empty()) {
      const std::string_view label = name.substr(0, name.find('.'));
      bytes_.push_back(static_cast<std::uint8_t>(label.size()));
      put(as_bytes(label));
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    bytes_.push_back(0);
    ByteWriter writer(bytes_);
    writer.big_endian(type);
    writer.big_endian(kClassInternet);
    answers_begin_ = bytes_.size();
  }

  void add_record(std::uint16_t type, std::uint32_t ttl, const Bytes& data) {
    if (++bytes_[7] == 0) ++bytes_[6];
    put({0xc0, 12});  // the name of the question
    ByteWriter writer(bytes_);
    writer.big_endian(type);
    writer.big_endian(kClassInternet);
    writer.big_endian(ttl);
    writer.big_endian(static_cast<std::uint16_t>(data.size()));
    put(data);
  }
  void add_text(std::uint32_t ttl, const std::vector<std::string>& strings) {
    Bytes data;
    for (const std::string& string : strings) {
      data.push_back(static_cast<std::uint8_t>(string.size()));
      data.insert(data.end(), string.begin(), string.end());
    }
    add_record(16, ttl, data);
  }
  void set_id(std::uint16_t id) {
    bytes_[0] = static_cast<std::uint8_t>(id >> 8);
    bytes_[1] = static_cast<std::uint8_t>(id);
  }
  void set_code(std::uint8_t code) { bytes_[3] = static_cast<std::uint8_t>(0x80 | code); }
  void set_truncated() { bytes_[2] |= 2; }

  const Bytes& bytes() const { return bytes_; }
  std::size_t answers_begin() const { return answers_begin_; }

 private:
  void put(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void put(const Bytes& bytes) { put(ByteView(bytes)); }

  Bytes bytes_;
  std::size_t answers_begin_ = 0;
};

}  // namespace p2pa::test
