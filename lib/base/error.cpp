#include "p2pagents/error.hpp"

namespace p2pa {

std::string_view code_name(Code code) noexcept {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid_argument";
    case Code::kInvalidState: return "invalid_state";
    case Code::kNotFound: return "not_found";
    case Code::kTimeout: return "timeout";
    case Code::kCancelled: return "cancelled";
    case Code::kWouldBlock: return "would_block";
    case Code::kOutOfMemory: return "out_of_memory";
    case Code::kBufferTooSmall: return "buffer_too_small";
    case Code::kUnsupported: return "unsupported";
    case Code::kIo: return "io";
    case Code::kMalformed: return "malformed";
    case Code::kInternal: return "internal";
    case Code::kClosed: return "closed";
    case Code::kStaleHandle: return "stale_handle";
    case Code::kWrongThread: return "wrong_thread";
    case Code::kUnreachable: return "unreachable";
    case Code::kNoAddress: return "no_address";
    case Code::kPeerIdMismatch: return "peer_id_mismatch";
    case Code::kHandshake: return "handshake";
    case Code::kConnectionLost: return "connection_lost";
    case Code::kConnectionClosed: return "connection_closed";
    case Code::kRefused: return "refused";
    case Code::kProtocolViolation: return "protocol_violation";
    case Code::kUnresolved: return "unresolved";
    case Code::kGated: return "gated";
    case Code::kStreamReset: return "stream_reset";
    case Code::kProtocolUnsupported: return "protocol_unsupported";
    case Code::kNegotiation: return "negotiation";
    case Code::kStreamFinished: return "stream_finished";
    case Code::kMessageTooLarge: return "message_too_large";
    case Code::kApplication: return "application";
    case Code::kNoSuchMethod: return "no_such_method";
    case Code::kDeadlineExceeded: return "deadline_exceeded";
    case Code::kTruncated: return "truncated";
    case Code::kBadKey: return "bad_key";
    case Code::kBadSignature: return "bad_signature";
    case Code::kBadCertificate: return "bad_certificate";
    case Code::kBadKeyFile: return "bad_key_file";
    case Code::kLimitConnections: return "limit_connections";
    case Code::kLimitStreams: return "limit_streams";
    case Code::kLimitMemory: return "limit_memory";
    case Code::kLimitHandshakes: return "limit_handshakes";
    case Code::kLimitCalls: return "limit_calls";
    case Code::kLimitPeer: return "limit_peer";
    case Code::kLimitIp: return "limit_ip";
    case Code::kRateLimited: return "rate_limited";
  }
  return "unknown";  // a number from the wire or from another version
}

std::string describe(const Error& error) {
  std::string text(code_name(error.code));
  if (error.why[0] != '\0') {
    text += ": ";
    text += error.why;
  }
  if (error.detail != 0) {
    text += " (detail ";
    text += std::to_string(error.detail);
    text += ')';
  }
  return text;
}

}  // namespace p2pa
