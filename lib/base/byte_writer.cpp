#include "base/byte_writer.hpp"

namespace p2pa {

// Not inline: g++ 12 sees an overflow (stringop-overflow) where it knows the buffer to be empty.
void ByteWriter::append(ByteView bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }

}  // namespace p2pa
