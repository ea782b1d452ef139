#pragma once
// A WebSocket's frames (RFC 6455 §5 to §7), by wslay, which is given bytes as they come.

#include <cstdint>
#include <optional>

#include "crypto/rng.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

struct wslay_frame_context;
struct wslay_frame_iocb;

namespace p2pa::websocket {

/// Both directions of one end, once it has greeted. Only binary messages; how they are cut means nothing, so
/// none is gathered: what a frame carries is passed on as it comes, however large the frame says it is.
class Frames final {
 public:
  /// The most that a frame of ours carries, and what it adds to that.
  static constexpr std::size_t kPayloadMax = 64 * 1024, kHeaderMax = 14;
  /// RFC 6455 §5.5: of a ping, a pong and a close, and all that is ever kept of a peer's.
  static constexpr std::size_t kControlBytesMax = 125;

  /// `masks`: of a client, outlives this; null makes a server. Throws std::bad_alloc.
  explicit Frames(Rng* masks);
  ~Frames();
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  /// Appends payload to `up`, and to `down` a pong to the last of the pings and the answer to a close.
  /// Errors: kProtocolViolation (detail: the close code that `down` tells the peer), kConnectionClosed
  /// (detail: the peer's close code, 1005 where it has none). Not to be called after an error.
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down);
  /// Appends binary frames; nothing once a close went out.
  void send(ByteView bytes, Bytes& down);
  /// Appends a normal close, if none went out before.
  void close(Bytes& down);

 private:
  struct Callbacks;  // wslay's way to us

  Result<void> on_part(const wslay_frame_iocb& part, Bytes& up, Bytes& down);
  std::optional<Error> begin_frame(const wslay_frame_iocb& part);
  Result<void> on_control(std::uint8_t opcode, Bytes& down);
  Result<void> on_close(Bytes& down);
  void append_frame(std::uint8_t opcode, ByteView payload, Bytes& down);
  void append_close(std::optional<std::uint16_t> code, Bytes& down);

  wslay_frame_context* context_ = nullptr;
  Rng* const masks_;
  std::uint64_t left_ = 0;  // of the frame under way
  bool in_frame_ = false;
  bool in_message_ = false;  // its last frame has not begun
  bool closed_ = false;      // ours went out
  Bytes control_;            // what has come of a control frame
  std::optional<Bytes> ping_;  // to be answered
  ByteView input_;             // of the call under way
  MutableBytes room_;          // of the call under way, to be filled from its front
};

}  // namespace p2pa::websocket
