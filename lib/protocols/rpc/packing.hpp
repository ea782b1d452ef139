#pragma once
// Messages made smaller for the way by zstd (RFC 8878), one frame a message.

#include <memory>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace p2pa::rpc {

/// Smaller messages are not worth the trouble.
inline constexpr std::size_t kPackBytesMin = 128;
/// A message is unpacked to no more than so many times what came, and to no more than a message may have.
inline constexpr std::size_t kUnpackRatioMax = 4096;

/// One for all calls of a node: its tables are made when they are first needed, and kept.
class Packer final {
 public:
  /// Empty: it would not save a sixteenth at least, or would be over kUnpackRatioMax. Valid until the next call.
  ByteView pack(ByteView message);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  Bytes packed_;
};

class Unpacker final {
 public:
  /// Fills `out`. kProtocolViolation: what is packed is no zstd frame, or not just as long unpacked; nothing is
  /// ever written beyond `out`, and no other memory grows with what the peer says.
  Result<void> unpack(ByteView packed, MutableBytes out);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace p2pa::rpc
