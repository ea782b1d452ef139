// The numbers of the C face are those of the C++ one.
#include <catch2/catch.hpp>
#include <cstring>

#include "p2pagents/error.hpp"
#include "p2pagents/p2pagents.h"
#include "p2pagents/version.hpp"

namespace {
using p2pa::Code;

struct Pair {
  std::int32_t status;
  Code code;
};
constexpr Pair kPairs[] = {
    {P2PA_OK, Code::kOk},
    {P2PA_E_INVALID_ARGUMENT, Code::kInvalidArgument},
    {P2PA_E_INVALID_STATE, Code::kInvalidState},
    {P2PA_E_NOT_FOUND, Code::kNotFound},
    {P2PA_E_TIMEOUT, Code::kTimeout},
    {P2PA_E_CANCELLED, Code::kCancelled},
    {P2PA_E_WOULD_BLOCK, Code::kWouldBlock},
    {P2PA_E_OUT_OF_MEMORY, Code::kOutOfMemory},
    {P2PA_E_BUFFER_TOO_SMALL, Code::kBufferTooSmall},
    {P2PA_E_UNSUPPORTED, Code::kUnsupported},
    {P2PA_E_IO, Code::kIo},
    {P2PA_E_MALFORMED, Code::kMalformed},
    {P2PA_E_INTERNAL, Code::kInternal},
    {P2PA_E_CLOSED, Code::kClosed},
    {P2PA_E_STALE_HANDLE, Code::kStaleHandle},
    {P2PA_E_WRONG_THREAD, Code::kWrongThread},
    {P2PA_E_UNREACHABLE, Code::kUnreachable},
    {P2PA_E_NO_ADDRESS, Code::kNoAddress},
    {P2PA_E_PEER_ID_MISMATCH, Code::kPeerIdMismatch},
    {P2PA_E_HANDSHAKE, Code::kHandshake},
    {P2PA_E_CONNECTION_LOST, Code::kConnectionLost},
    {P2PA_E_CONNECTION_CLOSED, Code::kConnectionClosed},
    {P2PA_E_REFUSED, Code::kRefused},
    {P2PA_E_PROTOCOL_VIOLATION, Code::kProtocolViolation},
    {P2PA_E_UNRESOLVED, Code::kUnresolved},
    {P2PA_E_GATED, Code::kGated},
    {P2PA_E_STREAM_RESET, Code::kStreamReset},
    {P2PA_E_PROTOCOL_UNSUPPORTED, Code::kProtocolUnsupported},
    {P2PA_E_NEGOTIATION, Code::kNegotiation},
    {P2PA_E_STREAM_FINISHED, Code::kStreamFinished},
    {P2PA_E_MESSAGE_TOO_LARGE, Code::kMessageTooLarge},
    {P2PA_E_APPLICATION, Code::kApplication},
    {P2PA_E_NO_SUCH_METHOD, Code::kNoSuchMethod},
    {P2PA_E_DEADLINE_EXCEEDED, Code::kDeadlineExceeded},
    {P2PA_E_TRUNCATED, Code::kTruncated},
    {P2PA_E_BAD_KEY, Code::kBadKey},
    {P2PA_E_BAD_SIGNATURE, Code::kBadSignature},
    {P2PA_E_BAD_CERTIFICATE, Code::kBadCertificate},
    {P2PA_E_BAD_KEY_FILE, Code::kBadKeyFile},
    {P2PA_E_LIMIT_CONNECTIONS, Code::kLimitConnections},
    {P2PA_E_LIMIT_STREAMS, Code::kLimitStreams},
    {P2PA_E_LIMIT_MEMORY, Code::kLimitMemory},
    {P2PA_E_LIMIT_HANDSHAKES, Code::kLimitHandshakes},
    {P2PA_E_LIMIT_CALLS, Code::kLimitCalls},
    {P2PA_E_LIMIT_PEER, Code::kLimitPeer},
    {P2PA_E_LIMIT_IP, Code::kLimitIp},
    {P2PA_E_RATE_LIMITED, Code::kRateLimited},
};
}  // namespace

TEST_CASE("every status has the number, a name and a sentence") {
  for (const Pair& pair : kPairs) {
    CHECK(pair.status == static_cast<std::int32_t>(pair.code));
    CHECK(std::strcmp(p2pa_status_name(pair.status), "unknown") != 0);
    CHECK(std::strcmp(p2pa_status_text(pair.status), "Unknown status.") != 0);
  }
}

TEST_CASE("every code of the library has its status") {
  std::size_t codes = 0;
  for (std::int32_t number = -600; number <= 0; ++number) {
    codes += p2pa::code_name(static_cast<Code>(number)) != "unknown";
  }
  CHECK(codes == std::size(kPairs));
}

TEST_CASE("a number that is no status is called unknown") {
  CHECK(std::strcmp(p2pa_status_name(-9999), "unknown") == 0);
  CHECK(std::strcmp(p2pa_status_name(7), "unknown") == 0);
  CHECK(std::strcmp(p2pa_status_text(INT32_MIN), "Unknown status.") == 0);
  CHECK(std::strcmp(p2pa_status_name(P2PA_NONE), "none") == 0);
  CHECK(std::strcmp(p2pa_event_name(47), "unknown") == 0);
  CHECK(std::strcmp(p2pa_limit_name(1000), "unknown") == 0);
}

TEST_CASE("the loaded library is the one that the header belongs to") {
  std::uint32_t major = 9, minor = 9;
  REQUIRE(p2pa_abi_version(&major, &minor) == P2PA_OK);
  CHECK(major == P2PA_ABI_MAJOR);
  CHECK(minor == P2PA_ABI_MINOR);
  CHECK(std::strcmp(p2pa_version(), P2PA_VERSION_TEXT) == 0);
}

TEST_CASE("every event kind has a name, and notifications a bit each") {
  std::uint32_t bits = 0;
  for (std::uint32_t kind = P2PA_EVENT_LISTENING; kind <= P2PA_EVENT_LAN_MESSAGE; ++kind) {
    CHECK(std::strcmp(p2pa_event_name(kind), "unknown") != 0);
    CHECK((bits & P2PA_EVENT_DROPPED(kind)) == 0);
    bits |= P2PA_EVENT_DROPPED(kind);
  }
  CHECK(std::strcmp(p2pa_event_name(P2PA_EVENT_CALL_DONE), "call_done") == 0);
}
