#pragma once
// Requests between agents, both ends: /p2pagents/rpc/1.0.0. One call is one stream.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/timer_queue.hpp"
#include "p2pagents/rpc.hpp"
#include "protocols/rpc/methods.hpp"
#include "protocols/rpc/stream_call.hpp"
#include "resource/manager.hpp"
#include "transport/stream.hpp"

namespace p2pa::rpc {

/// Nothing that is asked of it runs a callback: callbacks come only out of the on_...() functions, so
/// a callback may call anything here. Every call gets exactly one on_end, also one that was refused at
/// once. REQUIRES close_all() and on_turn() before it goes, or the calls that remain end in silence.
class Rpc final : public Protocol {
 public:
  using NotifyCallback = std::move_only_function<void(const CallOutcome&)>;

  /// REQUIRES that both outlive it.
  Rpc(StreamOpener& opener, resource::Manager& resources);
  ~Rpc() override;

  /// Does the peer read packed messages, as far as is known? Asked for calls that want them.
  void set_reads_packed(std::move_only_function<bool(const PeerId&)> reads) { reads_packed_ = std::move(reads); }

  /// kInvalidArgument: not a method name. kInvalidState: the name is taken.
  Result<void> serve(std::string name, Method method);
  Result<void> serve(std::string name, UnaryMethod method);
  /// Calls in progress go on; a unary call whose request is not complete is refused.
  void stop_serving(std::string_view name);

  /// The reference is valid until the call's on_end returned. What is wrong at once comes as on_end:
  /// kInvalidArgument, kLimitCalls, kLimitPeer.
  Call& open_call(Instant now, const PeerId& peer, std::string_view method, const CallOptions& options,
                  CallHandler handler);
  /// As above, and kMessageTooLarge, kLimitMemory; kTruncated when the server ended without an answer.
  CallId call(Instant now, const PeerId& peer, std::string_view method, ByteView request,
              const CallOptions& options, UnaryCallback done);
  /// A message without an answer; `done` may be empty. options.one_way goes without saying.
  CallId notify(Instant now, const PeerId& peer, std::string_view method, ByteView message,
                NotifyCallback done, CallOptions options = {});
  /// Null once the call's outcome is decided.
  Call* find_call(CallId id);
  /// Ends every call with this reason; their on_end come in on_turn().
  void close_all(Instant now, const Error& reason);
  /// Places in use, both directions, with those whose stream is not over yet.
  std::size_t calls_count() const { return calls_.size() - free_.size(); }

  std::vector<std::string> protocol_ids() const override;
  /// Only requests whose caller said that they are ever travel as 0-RTT.
  bool replay_safe() const override { return true; }
  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant now, Stream& stream) override;
  void on_stopped(Instant now, Stream& stream, std::uint64_t code) override;
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;
  Instant next_deadline() const override { return timers_.next(); }
  void on_deadline(Instant now) override;
  bool has_work() const override { return !shared_.ready.empty(); }
  void on_turn(Instant now) override;

 private:
  StreamCall& acquire();
  /// Any state but kFree.
  StreamCall* find(std::uint64_t id) const;
  StreamCall& start(Instant now, const PeerId& peer, std::string_view method,
                    const CallOptions& options, CallHandler handler);
  void open_stream(StreamCall& call, const CallOptions& options);
  /// Runs one entry point of a call, and then what follows from it.
  template <class Entry>
  void enter(Instant now, StreamCall& call, Entry&& entry);
  void keep_timer(StreamCall& call);

  StreamOpener& opener_;
  std::move_only_function<bool(const PeerId&)> reads_packed_;
  CallShared shared_;
  std::vector<StreamCall*> turn_;  // scratch of on_turn()
  std::vector<std::unique_ptr<StreamCall>> calls_;  // by index; as many as were ever in use at once
  std::vector<std::uint32_t> free_;
  TimerQueue<std::uint32_t> timers_;  // rings for a place too early at times, never too late
};

}  // namespace p2pa::rpc
