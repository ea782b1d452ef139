#include <algorithm>
#include <utility>

#include "protocols.hpp"
#include "rpc.hpp"

namespace interop {
namespace {

using p2pa::Bytes;
using p2pa::ByteView;
using p2pa::Call;
using p2pa::CallHandler;
using p2pa::CallOptions;
using p2pa::CallOutcome;
using p2pa::Code;

constexpr std::size_t kMessageBytesMax = 4 << 20;  // the bound of both ends, docs/wire/rpc.md
constexpr std::uint32_t kMessagesCount = 10'000;
constexpr std::uint32_t kRoundsCount = 100;
constexpr p2pa::Duration kShortDeadline = p2pa::milliseconds(200);

/// A finished call of one request and one answer.
struct Answered {
  CallOutcome outcome;
  Bytes answer;
};

std::expected<Answered, Failed> call(Session& s, const char* method, ByteView request) {
  const auto answered = later<Answered>();
  s.node.call(s.connection.peer, method, request, {}, [answered](const CallOutcome& outcome, ByteView answer) {
    *answered = Answered{outcome, Bytes(answer.begin(), answer.end())};
  });
  if (auto waited = s.wait([&] { return answered->has_value(); }); !waited) {
    return std::unexpected(waited.error());
  }
  return **answered;
}

/// A call of any shape, seen by its client.
struct Streaming {
  std::optional<CallOutcome> outcome{};
  std::uint64_t messages = 0;
  bool wrong = false;
  Bytes last{};
};
using Streamed = std::shared_ptr<Streaming>;

/// The end of every streaming case: how it ended is put into `streamed`.
CallHandler noting(const Streamed& streamed) {
  CallHandler handler;
  handler.on_message = [streamed](Call&, ByteView message) {
    ++streamed->messages;
    streamed->last.assign(message.begin(), message.end());
  };
  handler.on_end = [streamed](Call&, const CallOutcome& outcome) { streamed->outcome = outcome; };
  return handler;
}

Outcome finish(Session& s, const Streamed& streamed, Code expected = Code::kOk) {
  if (auto waited = s.wait([&] { return streamed->outcome.has_value(); }); !waited) return waited;
  if (streamed->outcome->error.code != expected) return failed(streamed->outcome->error);
  if (streamed->wrong) return failed("other messages came back");
  return {};
}

Outcome unary(Session& s) {
  s.report["sizes"] = Json::array();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1024}, kMessageBytesMax}) {
    Bytes request(size);
    for (std::size_t i = 0; i < size; ++i) request[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
    const auto answered = call(s, "echo", request);
    if (!answered) return std::unexpected(answered.error());
    if (!answered->outcome.ok()) return failed(answered->outcome.error);
    if (answered->answer != request) return failed("other bytes came back");
    s.report["sizes"].push_back(size);
  }
  return {};
}

Outcome server_streaming(Session& s) {
  const auto streamed = std::make_shared<Streaming>();
  CallHandler handler = noting(streamed);
  handler.on_message = [streamed](Call&, ByteView message) {
    streamed->wrong |= message.size() != 4 || from_big_endian(message) != streamed->messages;
    ++streamed->messages;
  };
  Call& call = *s.node.open_call(s.connection.peer, "count", {}, std::move(handler));
  (void)call.send(big_endian32(kMessagesCount));
  call.finish();
  if (auto finished = finish(s, streamed); !finished) return finished;
  s.report["messages"] = streamed->messages;
  return {};
}

Outcome client_streaming(Session& s) {
  const auto streamed = std::make_shared<Streaming>();
  CallHandler handler = noting(streamed);
  const auto send = [next = std::make_shared<std::uint32_t>(0)](Call& call) {
    for (; *next < kMessagesCount; ++*next) {
      if (!call.send(big_endian32(*next))) return;
    }
    call.finish();
  };
  handler.on_writable = send;
  send(*s.node.open_call(s.connection.peer, "sum", {}, std::move(handler)));
  if (auto finished = finish(s, streamed); !finished) return finished;
  if (streamed->messages != 1 || streamed->last.size() != 8) return failed("not one answer of 8 bytes");
  s.report["sum"] = from_big_endian(streamed->last);
  return {};
}

/// Each message is sent after the answer to the one before, so that neither end can be waiting for
/// the other's end.
Outcome two_way(Session& s) {
  const auto streamed = std::make_shared<Streaming>();
  CallHandler handler = noting(streamed);
  handler.on_message = [streamed](Call& call, ByteView message) {
    streamed->wrong |= message.size() != 4 || from_big_endian(message) != streamed->messages;
    if (++streamed->messages == kRoundsCount) return call.finish();
    (void)call.send(big_endian32(static_cast<std::uint32_t>(streamed->messages)));
  };
  (void)s.node.open_call(s.connection.peer, "echo", {}, std::move(handler))->send(big_endian32(0));
  if (auto finished = finish(s, streamed); !finished) return finished;
  s.report["messages"] = streamed->messages;
  return {};
}

Outcome one_way(Session& s) {
  const auto told = later<CallOutcome>();
  const Bytes message(1000);
  s.node.notify(s.connection.peer, "log", message, [told](const CallOutcome& outcome) { *told = outcome; });
  if (auto waited = s.wait([&] { return told->has_value(); }); !waited) return waited;
  if (!(*told)->ok()) return failed((*told)->error);
  s.report["bytes"] = message.size();
  return {};
}

Outcome error(Session& s) {
  const auto answered = call(s, "fail", {});
  if (!answered) return std::unexpected(answered.error());
  if (answered->outcome.error.code != Code::kApplication) return failed(answered->outcome.error);
  const p2pa::ApplicationError& told = answered->outcome.application;
  std::string hex;
  for (const std::uint8_t byte : told.data) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  s.report.update({{"code", told.code}, {"text", told.text}, {"data", hex}});
  return {};
}

Outcome refusal(Session& s) {
  const auto none = call(s, "none", p2pa::as_bytes("x"));
  if (!none) return std::unexpected(none.error());
  s.report["code"] = static_cast<std::int32_t>(none->outcome.error.code);
  const auto large = call(s, "echo", Bytes(kMessageBytesMax + 1));
  if (!large) return std::unexpected(large.error());
  s.report["too_large"] = static_cast<std::int32_t>(large->outcome.error.code);
  return ping_same_connection(s);
}

Outcome cancel_local(Session& s) {
  const auto streamed = std::make_shared<Streaming>();
  CallHandler handler = noting(streamed);
  handler.on_message = [](Call& call, ByteView) { call.cancel(); };  // now the other end knows of it
  Call& call = *s.node.open_call(s.connection.peer, "wait", {}, std::move(handler));
  (void)call.send({});
  call.finish();
  if (auto finished = finish(s, streamed, Code::kCancelled); !finished) return finished;
  return ping_same_connection(s);
}

Outcome cancel_remote(Session& s) {
  const auto answered = call(s, "cancel", {});
  if (!answered) return std::unexpected(answered.error());
  if (answered->outcome.error.code != Code::kCancelled) return failed(answered->outcome.error);
  return ping_same_connection(s);
}

Outcome deadline(Session& s) {
  const auto streamed = std::make_shared<Streaming>();
  CallOptions options;
  options.deadline = kShortDeadline;
  Call& call = *s.node.open_call(s.connection.peer, "wait", options, noting(streamed));
  (void)call.send({});
  call.finish();
  if (auto finished = finish(s, streamed, Code::kDeadlineExceeded); !finished) return finished;
  return ping_same_connection(s);
}

}  // namespace

const std::map<std::string, Case>& rpc_cases() {
  static const std::map<std::string, Case> all = {
      {"rpc-unary", {unary, true}},
      {"rpc-server-streaming", {server_streaming, true}},
      {"rpc-client-streaming", {client_streaming, true}},
      {"rpc-two-way", {two_way, true}},
      {"rpc-one-way", {one_way, true}},
      {"rpc-error", {error, true}},
      {"rpc-refusal", {refusal, true}},
      {"rpc-cancel-local", {cancel_local, true}},
      {"rpc-cancel-remote", {cancel_remote, true}},
      {"rpc-deadline", {deadline, true}},
  };
  return all;
}

}  // namespace interop
