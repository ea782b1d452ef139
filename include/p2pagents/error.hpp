#pragma once
// Errors of the library: small values, never exceptions.
//
// Three classes never mix. A peer misbehaves: an Error, counted. The environment fails: an Error,
// retried with back-off by whoever knows how. We have a bug: an assertion (base/assert.hpp).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace p2pa {

/// Stable numeric codes, the same numbers as the C ABI's P2PA_E_* and as the wire's where one is
/// carried. Ranges: -1..-99 general, -100.. dialing and connections, -200.. streams,
/// -300.. calls, -400.. identity, -500.. limits.
enum class Code : std::int32_t {
  kOk = 0,
  // general
  kInvalidArgument = -1,   ///< the caller passed something that can never work
  kInvalidState = -2,      ///< not now: closed, not started, already done
  kNotFound = -3,
  kTimeout = -4,           ///< a deadline passed
  kCancelled = -5,         ///< the caller's own cancellation
  kWouldBlock = -6,        ///< nothing was taken; wait for the matching event
  kOutOfMemory = -7,
  kBufferTooSmall = -8,    ///< detail: the size needed
  kUnsupported = -9,
  kIo = -10,               ///< the operating system refused; detail: errno
  kMalformed = -11,        ///< bytes that no correct sender produces
  kInternal = -12,         ///< a bug of ours, contained
  kClosed = -13,           ///< the object was closed by its owner
  kStaleHandle = -14,      ///< C ABI: the handle's object is gone
  kWrongThread = -15,      ///< C ABI: not the owner thread, or inside a callback that forbids it
  // dialing and connections
  kUnreachable = -100,     ///< no address answered; detail: number of addresses tried
  kNoAddress = -101,       ///< nothing dialable is known for the peer
  kPeerIdMismatch = -102,  ///< the other end proved another identity
  kHandshake = -103,       ///< TLS or transport handshake failed; detail: QUIC or TLS code
  kConnectionLost = -104,  ///< silence: idle time-out or stateless reset
  kConnectionClosed = -105,///< the peer closed; detail: its application code
  kRefused = -106,         ///< the peer refused us; detail: its code
  kProtocolViolation = -107,
  kUnresolved = -108,      ///< the name in an address stands for no address
  kGated = -110,           ///< a rule of this node forbids it
  // streams
  kStreamReset = -200,     ///< the peer aborted the stream; detail: its code
  kProtocolUnsupported = -201, ///< multistream answered `na`
  kNegotiation = -202,     ///< multistream went wrong
  kStreamFinished = -203,  ///< writing after the end
  kMessageTooLarge = -204, ///< detail: the limit in bytes
  // calls
  kApplication = -300,     ///< the served method answered with an error of its own
  kNoSuchMethod = -301,
  kDeadlineExceeded = -302,
  kTruncated = -303,       ///< the stream ended in the middle of a message
  // identity
  kBadKey = -400,
  kBadSignature = -401,
  kBadCertificate = -402,
  kBadKeyFile = -403,
  // limits; detail: the bound that was hit
  kLimitConnections = -500,
  kLimitStreams = -501,
  kLimitMemory = -502,
  kLimitHandshakes = -503,
  kLimitCalls = -504,
  kLimitPeer = -505,
  kLimitIp = -506,
  kRateLimited = -507,
};

/// What went wrong: a code to branch on, one number that belongs to it, and a fixed sentence that
/// says what exactly. Trivially copyable; `why` points to a string literal and is never null.
struct Error {
  Code code = Code::kInternal;
  std::uint64_t detail = 0;
  const char* why = "";

  friend bool operator==(const Error& a, const Error& b) {
    return a.code == b.code && a.detail == b.detail;
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

/// Makes the failed Result: `return fail(Code::kMalformed, "varint: not minimal");`
[[nodiscard]] constexpr std::unexpected<Error> fail(Code code, const char* why = "",
                                                    std::uint64_t detail = 0) {
  return std::unexpected<Error>(Error{code, detail, why});
}

/// The symbol of a code without its prefix, for example "peer_id_mismatch"; never null.
std::string_view code_name(Code code) noexcept;

/// One line for people: "peer_id_mismatch: the certificate belongs to another key (detail 298)".
std::string describe(const Error& error);

}  // namespace p2pa
