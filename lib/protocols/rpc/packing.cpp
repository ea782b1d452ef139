#include "protocols/rpc/packing.hpp"

#include <zstd.h>

namespace p2pa::rpc {
namespace {

constexpr int kLevel = 1;  // the way is what costs, and the caller waits
constexpr std::size_t kPackedKeptMax = 64 * 1024;

}  // namespace

void Packer::Free::operator()(ZSTD_CCtx_s* context) const noexcept { ZSTD_freeCCtx(context); }
void Unpacker::Free::operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }

ByteView Packer::pack(ByteView message) {
  if (message.size() < kPackBytesMin) return {};
  if (!context_) context_.reset(ZSTD_createCCtx());
  if (!context_) return {};
  if (packed_.capacity() > kPackedKeptMax) packed_ = {};
  // What has no room there is not worth it.
  packed_.resize(message.size() - message.size() / 16);
  const std::size_t size = ZSTD_compressCCtx(context_.get(), packed_.data(), packed_.size(), message.data(),
                                             message.size(), kLevel);
  if (ZSTD_isError(size) != 0 || message.size() / size >= kUnpackRatioMax) return {};
  return ByteView(packed_).first(size);
}

Result<void> Unpacker::unpack(ByteView packed, MutableBytes out) {
  if (!context_) context_.reset(ZSTD_createDCtx());
  if (!context_) return fail(Code::kOutOfMemory, "rpc: no memory to unpack a message");
  // Of one frame that says its size: then nothing but `out` is needed, whatever window the frame names.
  const bool says = ZSTD_getFrameContentSize(packed.data(), packed.size()) == out.size();
  const std::size_t size =
      says ? ZSTD_decompressDCtx(context_.get(), out.data(), out.size(), packed.data(), packed.size()) : 0;
  if (!says || ZSTD_isError(size) != 0 || size != out.size()) {
    return fail(Code::kProtocolViolation, "rpc: a packed message is not what it says");
  }
  return {};
}

}  // namespace p2pa::rpc
