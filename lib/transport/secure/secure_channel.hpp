#pragma once
// The port of a security protocol on a reliable byte stream: who the peer is, and secrecy for what
// follows. Noise and TLS implement it.

#include <cstddef>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

/// One end of one channel, a machine: bytes in, bytes out. Not to be used after an error of handshake().
class SecureChannel {
 public:
  struct Progress {
    std::size_t taken = 0;  ///< bytes of the input
    std::size_t made = 0;   ///< bytes written to the output
  };

  virtual ~SecureChannel() = default;

  /// Goes on with the handshake as far as `in` allows, and appends what is to be sent to `out`. Says how
  /// much of `in` it took: never anything behind the end of the handshake, and a message that is not
  /// complete only where the channel keeps it itself (Noise leaves it). What was not taken is to come again,
  /// with more behind it: kRecordBytesMax are enough for any message. To be called once with nothing at the
  /// begin.
  /// REQUIRES !established(). Errors: kHandshake, kMalformed, kBadKey, kBadSignature, kBadCertificate,
  /// kPeerIdMismatch, kRefused (the peer's alert; detail). What was appended with an error, an alert, is
  /// still to be sent.
  virtual Result<std::size_t> handshake(ByteView in, Bytes& out) = 0;
  virtual bool established() const = 0;
  /// Proven by the handshake. REQUIRES established(), as all below.
  virtual const PeerId& peer() const = 0;
  /// The muxer that the handshake agreed on; empty: it is to be negotiated.
  virtual std::string_view muxer() const = 0;

  /// Takes records from the front of `in`, as many as are complete and whose plain text fits `out`.
  /// To be called once after the handshake with whatever followed it, also nothing. REQUIRES out.size() >=
  /// kPlainBytesMax. Errors, each told after what was made before it: kProtocolViolation, kRefused (the peer's
  /// alert; detail): only finish() is left; kConnectionClosed: the peer ended its direction here, ours goes on.
  virtual Result<Progress> open(ByteView in, MutableBytes out) = 0;
  /// Makes one record. REQUIRES 0 < plain.size() <= seal_max(), out.size() >= plain.size() + seal_overhead();
  /// the two may not overlap. Says how large the record is.
  virtual std::size_t seal(ByteView plain, MutableBytes out) = 0;
  virtual std::size_t seal_max() const = 0;
  virtual std::size_t seal_overhead() const = 0;
  /// Appends the notice that nothing follows, or what was wrong with the peer's records, where the protocol
  /// has one.
  virtual void finish(Bytes& out) = 0;

  /// The most plain text of a record, and the most that a record is with it.
  static constexpr std::size_t kPlainBytesMax = 65'535, kRecordBytesMax = 65'537;
};

}  // namespace p2pa
