#pragma once
// The port of what a byte stream wears between its socket and what secures the peer: a proxy's greeting,
// WebSocket's frames, a private network's cipher. None of them knows what it carries.

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

/// One end of one layer of one connection, a machine: bytes in, bytes out. "Down" is towards the socket,
/// "up" towards the application. Not to be used after an error, but for finish().
class ByteLayer {
 public:
  virtual ~ByteLayer() = default;

  /// What lies below is open: appends what is to be said first to `down`. To be called once.
  virtual Result<void> begin(Bytes& down) = 0;
  /// Takes all of `bytes`, which came from below: appends what they carry to `up` and what is to be answered
  /// to `down`. What is not complete it keeps, within its bound. Errors: kMalformed, kProtocolViolation,
  /// kHandshake, kRefused (the other end said no; detail), kBadCertificate; kConnectionClosed: the peer ended
  /// its direction here, in good order. What was appended with an error is still to be used.
  virtual Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) = 0;
  /// send() may be called: the layer has greeted and was greeted. Never goes back to false.
  virtual bool open() const = 0;
  /// Appends what carries `bytes` to `down`: at most kOverheadMax more of every 16 KiB begun. REQUIRES open().
  virtual void send(ByteView bytes, Bytes& down) = 0;
  /// Appends the notice that nothing follows, where the protocol has one. At any time, once.
  virtual void finish(Bytes& down) = 0;

  /// What TLS adds for a peer that wants the smallest records; any other layer adds far less.
  static constexpr std::size_t kOverheadMax = 1024;
};

}  // namespace p2pa
