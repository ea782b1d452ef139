#include "entry.hpp"

using p2pa::Code;

// Names and sentences are literals, so that they live as long as the library.

const char* p2pa_status_name(int32_t status) noexcept {
  if (status == P2PA_NONE) return "none";
  return p2pa::code_name(static_cast<Code>(status)).data();  // NUL-terminated: a literal
}

const char* p2pa_status_text(int32_t status) noexcept {
  switch (static_cast<Code>(status)) {
    case Code::kOk: return "All is well.";
    case Code::kInvalidArgument: return "An argument can never work.";
    case Code::kInvalidState: return "This cannot be done now.";
    case Code::kNotFound: return "There is no such thing.";
    case Code::kTimeout: return "Time is up.";
    case Code::kCancelled: return "It was cancelled.";
    case Code::kWouldBlock: return "A bound is reached; nothing was taken. Try again later.";
    case Code::kOutOfMemory: return "There is no memory.";
    case Code::kBufferTooSmall: return "The buffer is too small.";
    case Code::kUnsupported: return "This is not supported.";
    case Code::kIo: return "The operating system refused.";
    case Code::kMalformed: return "These bytes are not what they should be.";
    case Code::kInternal: return "A bug of the library, contained; free the node.";
    case Code::kClosed: return "It is closed.";
    case Code::kStaleHandle: return "The handle's object is gone.";
    case Code::kWrongThread: return "Not from this thread, or not inside a callback.";
    case Code::kUnreachable: return "No address of the peer answered.";
    case Code::kNoAddress: return "No address of the peer is known.";
    case Code::kPeerIdMismatch: return "The other end is another peer than the one asked for.";
    case Code::kHandshake: return "The handshake failed.";
    case Code::kConnectionLost: return "The connection was lost.";
    case Code::kConnectionClosed: return "The peer closed the connection.";
    case Code::kRefused: return "The peer refused.";
    case Code::kProtocolViolation: return "The peer broke the protocol.";
    case Code::kUnresolved: return "The name in the address stands for no address.";
    case Code::kGated: return "A rule of this node forbids it.";
    case Code::kStreamReset: return "The peer aborted the stream.";
    case Code::kProtocolUnsupported: return "The peer does not speak this protocol.";
    case Code::kNegotiation: return "The protocol could not be negotiated.";
    case Code::kStreamFinished: return "This end has said that it sends no more.";
    case Code::kMessageTooLarge: return "The message is too large.";
    case Code::kApplication: return "The method answered with an error of its own.";
    case Code::kNoSuchMethod: return "The peer does not serve this method.";
    case Code::kDeadlineExceeded: return "The call's deadline passed.";
    case Code::kTruncated: return "The stream ended in the middle of a message.";
    case Code::kBadKey: return "This is not a usable key.";
    case Code::kBadSignature: return "The signature is wrong.";
    case Code::kBadCertificate: return "The certificate is wrong.";
    case Code::kBadKeyFile: return "The key file is damaged, foreign, or readable by others.";
    case Code::kLimitConnections: return "The bound on connections is reached.";
    case Code::kLimitStreams: return "The bound on streams is reached.";
    case Code::kLimitMemory: return "The bound on memory is reached.";
    case Code::kLimitHandshakes: return "The bound on handshakes is reached.";
    case Code::kLimitCalls: return "The bound on calls is reached.";
    case Code::kLimitPeer: return "A bound on what one peer may use is reached.";
    case Code::kLimitIp: return "A bound on what one address may use is reached.";
    case Code::kRateLimited: return "Too much in too short a time.";
  }
  return status == P2PA_NONE ? "There is nothing." : "Unknown status.";
}
