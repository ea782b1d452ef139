#pragma once
// One call on one stream, either end: the state machine behind the public Call.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "p2pagents/rpc.hpp"
#include "protocols/rpc/frame_reader.hpp"
#include "protocols/rpc/frame_writer.hpp"
#include "protocols/rpc/methods.hpp"
#include "protocols/rpc/packing.hpp"
#include "protocols/rpc/rpc_codec.hpp"
#include "resource/manager.hpp"
#include "transport/stream.hpp"

namespace p2pa::rpc {

/// An inbound stream must bring its request within this time.
inline constexpr Duration kRequestTimeout = seconds(10);
/// How long the other end may take to end its direction after the call is over.
inline constexpr Duration kLingerTimeout = seconds(10);
/// What a call takes from send() before its stream is open, beyond the first message.
inline constexpr std::size_t kUnsentBytesMax = 64 * 1024;

class StreamCall;

/// What the calls of one Rpc have in common.
struct CallShared {
  resource::Manager& resources;
  Methods methods;
  Bytes scratch;
  std::vector<StreamCall*> ready;  ///< to be settled in the next turn
  StreamCall* current = nullptr;   ///< will be settled at the end of this entry point anyway
  Packer packer{};
  Unpacker unpacker{};
};

/// A place for calls, used again and again. Its owner calls the functions below Call's own, and then
/// looks at state(): kEnding wants complete(), kFree may be started again. Call's own functions run no
/// callback, and leave alone the received bytes that on_message may be showing.
class StreamCall final : public Call {
 public:
  enum class State : std::uint8_t {
    kFree,
    kWaiting,          ///< outbound: no stream yet
    kAwaitingRequest,  ///< inbound: not known what for
    kOpen,             ///< without a stream: all has arrived, and a pause holds the end back
    kEnding,     ///< the outcome is decided, on_end is due
    kLingering,  ///< on_end is done, the stream is not over
  };
  static constexpr std::uint64_t kNoAbort = ~std::uint64_t{0};

  StreamCall(CallShared& shared, std::uint32_t index) : shared_(shared), index_(index) {}
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  CallId id() const override { return CallId{generation_} << 32 | index_; }
  bool inbound() const override { return inbound_; }
  const PeerId& peer() const override { return peer_; }
  std::string_view method() const override { return method_; }
  Instant deadline() const override { return deadline_; }
  Result<void> send(ByteView message) override;
  void finish() override;
  void fail(const ApplicationError& error) override;
  /// Decides the outcome, and tells an inbound call's caller.
  void refuse(const Error& why) override;
  /// The same, for what the peer sent.
  void refuse_frame(const Error& why);
  void cancel() override;
  void pause() override { paused_ = true; }
  void resume() override;
  void set_priority(Priority priority) override;
  void set_handler(CallHandler handler) override;

  State state() const { return state_; }
  /// Started, and the outcome is open.
  bool live() const;
  /// False: every generation of this place has been used.
  bool reusable() const { return generation_ != 0; }
  /// When on_timer() is due; kNever when it is not.
  Instant timer() const;

  void start_outbound(Instant now, const PeerId& peer, std::string_view method,
                      const CallOptions& options, CallHandler handler);
  void start_inbound(Instant now, Stream& stream);
  /// What counts this call; held until its outcome was told.
  void hold(resource::Reservation reservation) { reservation_ = std::move(reservation); }
  /// The peer reads packed messages. REQUIRES kWaiting, and that nothing was sent.
  void pack() { packs_ = true; }
  std::string_view protocol() const { return packs_ ? kPackedProtocolId : kProtocolId; }
  /// One request and one answer, or none when one-way. REQUIRES kWaiting.
  Result<void> start_unary(ByteView request, UnaryCallback done);
  /// Decides the outcome. `abort`: and resets the stream with this code.
  void end(const Error& why, std::uint64_t abort = kNoAbort);
  void defer();

  void on_stream_open(Instant now, Stream& stream);
  void on_readable(Instant now);
  void on_writable();
  void on_stopped(std::uint64_t code);
  void on_stream_closed(Instant now, const Error& why);
  void on_timer();
  void complete(Instant now);

 private:
  friend class Rpc;
  enum class Sending : std::uint8_t { kOpen, kFinishing, kFinished };
  enum class Receiving : std::uint8_t { kOpen, kAnswered, kFinished };

  void set_state(State next);
  bool reading() const;
  /// A server that has said its last word hears nothing more.
  bool deaf() const;
  bool over() const;
  void detach();
  void free();
  void drain();
  void tell_outcome();

  /// False: the frame stays where it is until resume().
  bool on_frame(Instant now, const Frame& frame);
  bool on_request(Instant now, const Request& request);
  void on_message(ByteView payload);
  void on_answer(const Message& answer);
  void on_end_of_stream();
  void run_unary(ByteView request);
  template <class Function, class... Args>
  void invoke(Function CallHandler::*function, Args&&... args);

  /// Has the message follow its head, packed where that helps. kLimitMemory.
  Result<void> put_message(ByteView message);
  /// A packed message becomes a plain one, in unpacked_. Errors: kLimitMemory, and of Unpacker::unpack().
  Result<void> unpack(Frame& frame);
  void drop_unpacked();
  /// As send(), but what has no memory now is refused for good. The frame's head is in the scratch then.
  Result<void> send_or_refuse(ByteView message);
  void tell_writable();
  void start_finish();
  /// What follows when the writer keeps nothing.
  void sent();

  CallShared& shared_;
  const std::uint32_t index_;
  std::uint32_t generation_ = 1;

  State state_ = State::kFree;
  Sending sending_ = Sending::kOpen;
  Receiving receiving_ = Receiving::kOpen;
  Priority priority_ = Priority::kInteractive;
  bool inbound_ = false;
  bool one_way_ = false;
  bool unary_ = false;
  bool paused_ = false;
  bool request_held_ = false;   // inbound: the request's own message waits for resume()
  bool want_writable_ = false;  // send() answered kWouldBlock
  bool deferred_ = false;       // stands in shared_.ready
  bool in_callback_ = false;
  bool packs_ = false;
  bool head_written_ = false;   // of the message in the writer, while there is no stream

  Stream* stream_ = nullptr;
  PeerId peer_;
  std::string method_;
  Instant deadline_ = kNever;
  Instant timeout_ = kNever;  // of kAwaitingRequest and kLingering
  CallHandler handler_;
  std::optional<CallHandler> next_handler_;  // set while one of handler_'s functions runs
  UnaryCallback done_;
  CallOutcome outcome_;
  std::uint64_t abort_ = kNoAbort;

  FrameReader reader_;
  FrameWriter writer_;
  Bytes unpacked_;
  resource::Reservation unpacked_memory_;
  ByteView answer_;  // of a unary call; lies in reader_ or unpacked_
  resource::Reservation reservation_;

  Instant timer_set_ = kNever;  // when its owner's queue rings for it
};

}  // namespace p2pa::rpc
