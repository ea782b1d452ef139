#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "input.hpp"
#include "protocols/rpc/rpc.hpp"
#include "support/two_hosts.hpp"

using namespace p2pa;
using fuzz::Input;
using test::RawPeer;

namespace {

constexpr std::size_t kMessageMax = 2000;
constexpr std::size_t kRawStreamsMax = 8;
constexpr int kOperationsMax = 200;

Limits small_limits() {
  Limits limits;
  limits.calls_max = 6;
  limits.message_bytes_max = kMessageMax;
  limits.memory_max = 8000;
  return limits;
}

/// Answers calls with bytes of the input.
class RawServer final : public Protocol {
 public:
  explicit RawServer(Input& input) : input_(input) {}
  std::vector<std::string> protocol_ids() const override { return {std::string(rpc::kProtocolId)}; }
  void on_stream_open(Instant, Stream& stream) override { say(stream); }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant, Stream& stream) override {
    while (!stream.peek().empty()) stream.consume(stream.peek().size());
    say(stream);
  }
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant, Stream&, const Error&) override {}

 private:
  void say(Stream& stream) {
    const std::uint8_t how = input_.byte();
    static_cast<void>(stream.write(input_.take(how % 64)));
    if (how >= 128) stream.finish();
    if (how == 127) stream.reset(input_.byte());
    if (how == 126) stream.stop(0);
  }
  Input& input_;
};

class Run {
 public:
  Run(Input& input, bool raw_server)
      : input_(input),
        hosts_({.stream_bytes_max = std::size_t{1} + input.byte() * 16u,
                .segment_bytes_max = std::size_t{1} + input.byte()}),
        client_resources_(small_limits()),
        server_resources_(small_limits()),
        client_(hosts_.dialer, client_resources_),
        server_(hosts_.listener, server_resources_),
        raw_server_(input) {
    hosts_.dialer.add(client_);
    if (raw_server) {
      hosts_.listener.add(raw_server_);
    } else {
      hosts_.listener.add(server_);
    }
    serve();
    hosts_.run_for(milliseconds(5));
  }

  void operator()() {
    for (int i = 0; i < kOperationsMax && !input_.empty(); ++i) {
      operation();
      check_bounds();
    }
    // Whatever was done, every call that was accepted ends once, and nothing is held after it.
    for (auto& raw : raws_) raw->reads = true;
    hosts_.run_for(seconds(5));
    close_all();
    hosts_.run_for(seconds(20));
    hosts_.pair.lose();
    hosts_.run_for(seconds(1));
    // An end that was begun meanwhile may have paused a call for good, which then has all but its end.
    close_all();
    hosts_.run_for(seconds(1));
    P2PA_ASSERT(begun_ == ended_);
    P2PA_ASSERT(client_.calls_count() == 0 && server_.calls_count() == 0);
    for (const auto* resources : {&client_resources_, &server_resources_}) {
      P2PA_ASSERT(resources->usage().calls == 0 && resources->usage().memory == 0);
    }
  }

 private:
  void serve() {
    static_cast<void>(server_.serve("echo", UnaryMethod([](const PeerId&, ByteView request) {
      return std::expected<Bytes, ApplicationError>(Bytes(request.begin(), request.end()));
    })));
    static_cast<void>(server_.serve("wait", Method([this](Call& call) {
      ++begun_;
      served_.push_back(call.id());
      call.set_handler(handler());
      if (input_.byte() % 4 == 0) act(call);
    })));
  }

  CallHandler handler() {
    CallHandler handler;
    handler.on_message = [this](Call& call, ByteView message) {
      P2PA_ASSERT(message.size() <= kMessageMax);
      sum_ += message.empty() ? 0u : message.back();  // the view is readable to its end
      if (input_.byte() % 4 == 0) act(call);
      sum_ += message.empty() ? 0u : message.front();
    };
    handler.on_finished = [this](Call& call) {
      if (input_.byte() % 2 == 0) call.finish();
    };
    handler.on_writable = [this](Call& call) {
      if (input_.byte() % 2 == 0) act(call);
    };
    handler.on_end = [this](Call& call, const CallOutcome&) {
      ++ended_;
      P2PA_ASSERT(client_.find_call(call.id()) == nullptr || server_.find_call(call.id()) == nullptr);
      if (!input_.empty() && input_.byte() % 8 == 0) begin();  // not for ever
    };
    return handler;
  }

  void begin() {
    const std::uint8_t how = input_.byte();
    CallOptions options;
    options.deadline = milliseconds(how % 16 == 0 ? 0 : how * 10);
    options.one_way = how % 7 == 0;
    const char* method = how % 3 == 0 ? "wait" : how % 3 == 1 ? "echo" : "none";
    ++begun_;
    if (how % 2 == 0) {
      opened_.push_back(
          client_.open_call(hosts_.now, hosts_.listener_id, method, options, handler()).id());
    } else {
      opened_.push_back(client_.call(hosts_.now, hosts_.listener_id, method, Bytes(input_.byte() * 9u),
                                     options, [this](const CallOutcome&, ByteView) { ++ended_; }));
    }
  }

  void act(Call& call) {
    switch (input_.byte() % 8) {
      case 0: call.finish(); break;
      case 1: call.fail({input_.byte(), "why", Bytes(input_.byte() * 9u)}); break;
      case 2: call.cancel(); break;
      case 3: call.pause(); break;
      case 4: call.resume(); break;
      case 5: call.set_handler(handler()); break;
      default: static_cast<void>(call.send(Bytes(input_.byte() * 9u, 7)));
    }
  }

  void close_all() {
    client_.close_all(hosts_.now, {Code::kClosed, 0, ""});
    server_.close_all(hosts_.now, {Code::kClosed, 0, ""});
  }

  static Call* pick(rpc::Rpc& rpc, const std::vector<CallId>& ids, std::uint8_t which) {
    return ids.empty() ? nullptr : rpc.find_call(ids[ids.size() - 1 - which % std::min<std::size_t>(ids.size(), 8)]);
  }

  void operation() {
    const std::uint8_t what = input_.byte();
    RawPeer* raw = raws_.empty() ? nullptr : raws_[what % raws_.size()].get();
    Stream* stream = raw == nullptr ? nullptr : raw->stream;
    switch (what % 16) {
      case 0:
      case 1: return begin();
      case 2:
      case 3:
        if (Call* call = pick(client_, opened_, input_.byte())) act(*call);
        return;
      case 4:
      case 5:
        if (Call* call = pick(server_, served_, input_.byte())) act(*call);
        return;
      case 6:
      case 7: return hosts_.run_for(milliseconds(input_.byte()));
      case 8:
        if (raws_.size() == kRawStreamsMax) return;
        raws_.push_back(std::make_unique<RawPeer>());
        raws_.back()->reads = what < 128;
        hosts_.dialer.open_raw(rpc::kProtocolId, *raws_.back());
        return;
      case 9:
      case 10:
        if (stream != nullptr) static_cast<void>(stream->write(input_.take(input_.byte())));
        return;
      case 11:
        if (stream != nullptr) stream->finish();
        return;
      case 12:
        if (stream != nullptr) stream->reset(input_.byte());
        return;
      case 13:
        if (stream != nullptr) stream->stop(input_.byte());
        return;
      case 14:
        server_.stop_serving("echo");
        if (what < 128) serve();
        return;
      default:
        if (what == 255) client_.close_all(hosts_.now, {Code::kClosed, 0, ""});
        hosts_.run_for(Duration{});
    }
  }

  void check_bounds() const {
    for (const auto* resources : {&client_resources_, &server_resources_}) {
      P2PA_ASSERT(resources->usage().calls <= small_limits().calls_max);
      P2PA_ASSERT(resources->usage().memory <= small_limits().memory_max);
    }
  }

  Input& input_;
  test::TwoHosts hosts_;
  resource::Manager client_resources_, server_resources_;
  std::vector<std::unique_ptr<RawPeer>> raws_;
  std::vector<CallId> opened_, served_;
  std::size_t begun_ = 0, ended_ = 0, sum_ = 0;
  rpc::Rpc client_, server_;
  RawServer raw_server_;
};

}  // namespace

/// Whatever two ends of rpc do, and whatever a third that knows only bytes does to them, every call ends
/// exactly once, the bounds hold, and nothing is left.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Input input(ByteView(data, size));
  const bool raw_server = input.byte() % 2 == 1;
  Run(input, raw_server)();
  return 0;
}
