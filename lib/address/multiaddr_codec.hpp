#pragma once
// What stands between a Multiaddr's two forms: the table of protocols, and one component at a time.

#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.hpp"
#include "p2pagents/multiaddr.hpp"

namespace p2pa {

struct ProtocolInfo {
  static constexpr int kVariable = -1;  ///< a varint length stands before the value

  Multiaddr::Protocol protocol;
  std::string_view name;
  int value_size;        ///< bytes; 0: no value
  bool is_path = false;  ///< its value is the rest of the text, slashes and all; nothing may follow
};

/// nullptr: not one of ours.
const ProtocolInfo* protocol_named(std::string_view name);
const ProtocolInfo* protocol_coded(std::uint64_t code);

/// The next component, checked. kUnsupported: its protocol is not one of ours (so its length is not
/// known and nothing after it can be read). kMalformed: anything else that is wrong.
Result<Multiaddr::Component> read_component(ByteReader& reader);

/// Code, length where the protocol has one, value. The value is taken as it is.
void append_component(Bytes& out, Multiaddr::Protocol protocol, ByteView value);

/// Goes through the bytes of a Multiaddr, which are known to be good.
class ComponentReader {
 public:
  explicit ComponentReader(ByteView valid) : reader_(valid) {}
  std::optional<Multiaddr::Component> next();
  std::size_t position() const { return reader_.position(); }

 private:
  ByteReader reader_;
};

/// Is this a value that the protocol can have? Sizes that the protocol fixes are checked before.
Result<void> check_value(Multiaddr::Protocol protocol, ByteView value);
/// A value from its text. kMalformed.
Result<Bytes> parse_value(Multiaddr::Protocol protocol, std::string_view text);
/// REQUIRES a checked value.
void append_value_text(std::string& out, Multiaddr::Protocol protocol, ByteView value);

}  // namespace p2pa
