#pragma once
// Requests between agents: /p2pagents/rpc/1.0.0 (wire: docs/wire/rpc.md). One call is one stream.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/shaping.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

using CallId = std::uint64_t;  ///< unique within its node, never reused, never 0

/// What the served method says went wrong: its own number, a text for people, data for programs.
struct ApplicationError {
  std::int32_t code = 0;
  std::string text;
  Bytes data;
};

/// How a call ended. Exactly one of three: the result (error.code is kOk), the application's error
/// (kApplication, then `application` is filled), or the transport's reason (any other code).
struct CallOutcome {
  Error error{Code::kOk, 0, ""};
  ApplicationError application;
  bool ok() const { return error.code == Code::kOk; }
};

/// How a call is made.
struct CallOptions {
  /// How long from now, at most 24 hours (a longer one counts as that); travels with the call, and the
  /// server's handler sees what is left. Zero: no deadline. Negative: it has passed, and the call ends at once
  /// with kDeadlineExceeded.
  Duration deadline = seconds(30);
  /// May the request be executed twice without harm? Then it may travel as 0-RTT.
  bool replay_safe = false;
  /// Fire and forget: succeeds when the bytes are handed to the connection; there is no answer.
  bool one_way = false;
  /// Of what the caller sends; the server's answer has its server's: see Call::set_priority().
  Priority priority = Priority::kInteractive;
  /// Messages go smaller by zstd, both ways, where that helps and the peer is known to read it. Not for secrets
  /// beside what a stranger may choose: the size tells of the content.
  bool compress = false;
};

struct CallHandler;

/// One call seen from either end. Unary, server-streaming, client-streaming and two-way differ only
/// in how many messages each side sends. Owned by the node; a reference is valid until on_end
/// returned; keep the id() to find it again. REQUIRES the node's thread.
class Call {
 public:
  virtual ~Call() = default;
  virtual CallId id() const = 0;
  virtual bool inbound() const = 0;
  virtual const PeerId& peer() const = 0;
  virtual std::string_view method() const = 0;
  /// When it will be given up; kNever without a deadline.
  virtual Instant deadline() const = 0;

  /// Sends one message (copied). kWouldBlock: the stream's buffer is full, or there is no memory
  /// for the message yet; nothing was taken, wait for on_writable. kLimitMemory: the bounds on memory never
  /// allow it; nothing was taken. kMessageTooLarge: over Limits::message_bytes_max.
  /// kStreamFinished: after finish(). kInvalidState: the call is over.
  virtual Result<void> send(ByteView message) = 0;
  /// No more messages from this end. A server's finish() is the successful end of the call.
  virtual void finish() = 0;
  /// Server only: ends the call with the application's own error.
  virtual void fail(const ApplicationError& error) = 0;
  /// Ends the call for a reason of this node's own, such as kLimitCalls or kLimitMemory. A server's caller is
  /// told it, when it may still be told anything; a caller's server sees a reset.
  virtual void refuse(const Error& why) = 0;
  /// Gives the call up from either end; the other sees kCancelled.
  virtual void cancel() = 0;
  /// Back-pressure: while paused nothing is read, and the sender is stopped by flow control.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// Of what this end sends, from now on, also of what it has not sent yet.
  virtual void set_priority(Priority priority) = 0;
  /// Replaces the handler: what a server does when the call arrives.
  virtual void set_handler(CallHandler handler) = 0;
};

/// What one end of a call is told. Every function runs in the node's turn (inside poll(), or on the
/// node's own thread in thread mode) and may call anything on the node.
struct CallHandler {
  /// One whole message; the view is valid during the call. Not called while paused.
  std::move_only_function<void(Call&, ByteView)> on_message;
  /// The other end sends no more messages.
  std::move_only_function<void(Call&)> on_finished;
  /// send() that answered kWouldBlock may be tried again.
  std::move_only_function<void(Call&)> on_writable;
  /// The last one, exactly once. The Call is gone when it returns.
  std::move_only_function<void(Call&, const CallOutcome&)> on_end;
};

/// A served method. Called when a request arrives, before its first message is delivered; it sets
/// the call's handler (a method that answers at once may also just send() and finish() from
/// on_message).
using Method = std::move_only_function<void(Call&)>;

/// A method of one request and one answer: called with the whole request, returns the answer.
using UnaryMethod = std::move_only_function<std::expected<Bytes, ApplicationError>(
    const PeerId& from, ByteView request)>;

/// The end of a unary call: outcome, and the answer when outcome.ok().
using UnaryCallback = std::move_only_function<void(const CallOutcome&, ByteView answer)>;

}  // namespace p2pa
