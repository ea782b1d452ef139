#include "base/assert.hpp"
#include "wire/msgpack.hpp"

using namespace p2pa;
using wire::MsgpackReader;
using wire::MsgpackWriter;
using Type = MsgpackReader::Type;

namespace {

/// Reads one value that holds no other and writes it again; false for a type that is only skipped.
bool copy_leaf(MsgpackReader& reader, Type type, MsgpackWriter& writer) {
  switch (type) {
    case Type::kNil:
      if (reader.nil()) writer.nil();
      return true;
    case Type::kBoolean:
      if (const auto value = reader.boolean()) writer.boolean(*value);
      return true;
    case Type::kInteger:
      if (const auto value = reader.uint()) {
        writer.uint(*value);
      } else if (const auto negative = reader.integer()) {
        writer.integer(*negative);
      }
      return true;
    case Type::kStr:
      if (const auto value = reader.str()) writer.str(*value);
      return true;
    case Type::kBin:
      if (const auto value = reader.bin()) writer.bin(*value);
      return true;
    default: return false;
  }
}

}  // namespace

/// The typed readers and skip() agree on where a value ends and whether it is one; what was read and
/// written again is no longer than it was, and reads the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MsgpackReader reader(ByteView(data, size));
  Bytes copy, second;
  while (const auto type = reader.peek()) {
    const std::size_t begin = reader.position();
    MsgpackReader skipper = reader;
    const bool skipped = skipper.skip().has_value();
    copy.clear();
    MsgpackWriter writer(copy);
    if (!copy_leaf(reader, *type, writer)) {
      MsgpackReader counts = reader;
      static_cast<void>(counts.array());
      static_cast<void>(counts.map());
      if (!reader.skip()) break;
      continue;
    }
    P2PA_ASSERT(skipped == (reader.position() > begin));
    if (!skipped) break;
    P2PA_ASSERT(reader.position() == skipper.position());
    P2PA_ASSERT(!copy.empty() && copy.size() <= reader.position() - begin);
    second.clear();
    MsgpackWriter again(second);
    MsgpackReader written(copy);
    copy_leaf(written, *type, again);
    P2PA_ASSERT(written.at_end() && second == copy);
  }
  return 0;
}
