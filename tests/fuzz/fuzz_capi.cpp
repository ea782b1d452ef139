// The C API called at random: every function of the header, several nodes, handles that are valid, stale,
// of another kind or invented, also from inside callbacks, and polling in between. The input is the script,
// and nothing else decides: the nodes run on machines in memory, in virtual time. So the library's thread is
// never started on a node that lives; tests/capi has it under ThreadSanitizer.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "input.hpp"
#include "p2pagents/p2pagents.h"
#include "support/lan.hpp"

using namespace p2pa;
using fuzz::Input;
using test::Lan;
using test::LanHost;

namespace {

constexpr std::size_t kNodesMax = 3;
constexpr int kOperationsMax = 200;
constexpr std::uint32_t kEventsMax = 64;
constexpr std::uint64_t kMemoryMax = 128 * 1024;
Lan* g_lan = nullptr;
std::uint8_t g_nodes_opened = 0;

/// Unlike an assertion, which the C face contains, this ends the program.
void must(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: what must hold does not\n", where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

/// What runs a node: as io/'s driver, but time passes only here.
class LanDriver final : public Driver {
 public:
  LanDriver(NodeCore& core, std::uint8_t number) : core_(core), host_(*g_lan, core, number) {}

  Result<int> poll(Duration timeout, int) override {
    if (!core_.has_work() && host_.inbox.empty() && posted_.empty()) {
      const Instant wake = std::min(core_.next_deadline(), g_lan->now + std::min(timeout, seconds(60)));
      g_lan->now = std::max(g_lan->now, wake);
    }
    auto posted = std::exchange(posted_, {});
    for (auto& fn : posted) fn(*node_);
    host_.run();
    return static_cast<int>(posted.size());
  }
  int wakeup_fd() const override { return -1; }
  Instant next_deadline() const override { return posted_.empty() ? core_.next_deadline() : g_lan->now; }
  Instant now() const override { return g_lan->now; }
  Result<void> start_thread() override { return fail(Code::kUnsupported, "no threads here"); }
  void stop_thread() override {}
  Result<void> post(std::move_only_function<void(Node&)> fn) override {
    posted_.push_back(std::move(fn));
    return {};
  }
  void attach(Node& node) override { node_ = &node; }

 private:
  NodeCore& core_;
  LanHost host_;
  Node* node_ = nullptr;
  std::vector<std::move_only_function<void(Node&)>> posted_;
};

}  // namespace

/// In place of io/'s, which this program therefore does not link.
Result<std::unique_ptr<Node>> Node::open(NodeOptions options) {
  for (const Multiaddr& address : options.listen) {
    if (!quic_endpoint(address)) return fail(Code::kInvalidArgument, "not an address to listen on");
  }
  const std::uint8_t number = ++g_nodes_opened;
  std::array<std::uint8_t, 32> seed{};
  seed.fill(number);
  if (!options.key) options.key = KeyPair::from_seed(seed);
  auto core = std::make_unique<NodeCore>(std::move(options), seed, 1'750'000'000, g_lan->now);
  auto driver = std::make_unique<LanDriver>(*core, number);
  return std::make_unique<Node>(std::move(core), std::move(driver));
}

namespace {

/// What was lent to the library with a function that says when it may be forgotten: exactly once.
struct Lent {
  int released = 0;
  static void release(void* lent) {
    ++static_cast<Lent*>(lent)->released;
    must(static_cast<Lent*>(lent)->released == 1);
  }
};

class Run final {
 public:
  explicit Run(Input& input) : input_(input) {
    g_lan = &lan_;
    g_nodes_opened = 0;
    open();
    if (input_.byte() % 4 != 0) open();
  }

  void operator()() {
    for (int i = 0; i < kOperationsMax && !input_.empty(); ++i) operation();
    // An orderly end for those that live: whatever was accepted completes.
    for (const p2pa_node node : alive_) finish(node);
    for (p2pa_event& event : taken_) must(fine(p2pa_event_release(&event)));
    for (const p2pa_node node : std::vector(alive_)) must(p2pa_node_free(node) == P2PA_OK);
    for (const auto& lent : lent_) must(lent->released == 1);
  }

 private:
  // --- arguments

  /// A value of some kind, seldom of another kind, stale or invented.
  template <class Handle>
  Handle pick(const std::vector<std::uint64_t>& from) {
    const std::uint8_t how = input_.byte();
    if (how >= 250) return Handle{invented()};
    const auto& pool = how >= 240 && !others_.empty() ? others_ : from;
    return Handle{pool.empty() ? 0 : pool[how % pool.size()]};
  }
  std::uint64_t invented() {
    std::uint64_t v = 0;
    for (const std::uint8_t byte : input_.take(8)) v = v << 8 | byte;
    return v;
  }
  p2pa_node node() { return pick<p2pa_node>(nodes_); }
  p2pa_call call() { return pick<p2pa_call>(calls_); }
  p2pa_stream stream() { return pick<p2pa_stream>(streams_); }
  p2pa_channel channel() { return pick<p2pa_channel>(channels_); }
  const p2pa_peer* peer() {
    const std::uint8_t how = input_.byte();
    if (how == 255 || peers_.empty()) return nullptr;
    if (how < 240) return &peers_[how % peers_.size()];
    const ByteView bytes = input_.take(sizeof scratch_peer_);
    std::memset(&scratch_peer_, 0, sizeof scratch_peer_);
    if (!bytes.empty()) std::memcpy(&scratch_peer_, bytes.data(), bytes.size());
    return &scratch_peer_;
  }
  ByteView data() {
    const std::uint8_t how = input_.byte();
    return how < 200 ? input_.take(how) : ByteView(big_).first(std::size_t{1} << (how % 20));
  }
  std::string_view text() {
    constexpr std::string_view kTexts[] = {"echo", "talk", "/raw/1", "", "no\xff", "none"};
    const std::uint8_t how = input_.byte();
    return how < 240 ? kTexts[how % std::size(kTexts)] : as_text(input_.take(how - 240u));
  }
  std::string_view address() {
    const std::uint8_t how = input_.byte();
    if (how >= 240) return as_text(input_.take(how - 200u));
    scratch_text_ = "/ip4/192.0.2." + std::to_string(how % 5) + "/udp/4001/quic-v1";
    if (how >= 200) scratch_text_ += "/p2p/12D3KooWE3QvdF43Fk5boAjuPAx6fzBaDMhuELm2K2rPyR2mECHk";
    return scratch_text_;
  }
  /// A buffer to write to and its size, too small at times, and nowhere at times.
  char* room(std::size_t& size) {
    const std::uint8_t how = input_.byte();
    size = how < 128 ? buffer_.size() : how % 16;
    return how == 255 ? nullptr : buffer_.data();
  }
  p2pa_op* op() { return input_.byte() == 255 ? nullptr : &op_; }
  p2pa_error_info* error() {
    p2pa_error_info_init(&error_);
    const std::uint8_t how = input_.byte();
    if (how >= 250) error_.struct_size = how;
    return how % 2 == 0 ? &error_ : nullptr;
  }
  void* lend() { return lent_.emplace_back(std::make_unique<Lent>()).get(); }

  // --- answers

  /// Every answer is one of those that the header knows.
  static bool fine(std::int32_t status) {
    return status >= 0 ? true : status != P2PA_E_INTERNAL && std::string_view(p2pa_status_name(status)) != "unknown";
  }
  void began(std::int32_t status) {
    must(fine(status) && status <= 0);
    if (status != P2PA_OK) return;
    must(op_.v != 0 && completions_.try_emplace(op_.v, 0).second);
    ops_.push_back(op_.v);
    others_.push_back(op_.v);
  }
  void called(std::int32_t status) { must(fine(status)); }

  void see(const p2pa_event& event) {
    must(event.kind != P2PA_EVENT_NONE);
    must(std::string_view(p2pa_event_name(event.kind)) != "unknown");
    must(!closed_.contains(event.node.v));  // CLOSED is the last one
    if (event.kind == P2PA_EVENT_CLOSED) closed_.insert(event.node.v);
    if (event.op.v != 0) must(++completions_.at(event.op.v) == 1);
    if (event.call.v != 0) calls_.push_back(event.call.v);
    if (event.stream.v != 0) streams_.push_back(event.stream.v);
    if (event.channel.v != 0) channels_.push_back(event.channel.v);
    for (std::size_t i = 0; i < event.data.size; ++i) sum_ += event.data.data[i];  // readable to its end
    for (const p2pa_text& t : {event.text, event.name, event.address}) {
      if (t.size != 0) sum_ += static_cast<unsigned char>(t.data[t.size - 1]);
    }
    see_attempts(event);
  }
  void see_attempts(const p2pa_event& event) {
    p2pa_dial_attempt attempt;
    p2pa_dial_attempt_init(&attempt);
    std::size_t count = 0;
    while (p2pa_event_dial_attempt(&event, count, &attempt) == P2PA_OK) {
      must(std::string_view(p2pa_dial_stage_name(attempt.stage)) != "unknown");
      must(attempt.started_ns >= 0 && attempt.took_ns >= 0);
      if (attempt.address.size != 0) sum_ += static_cast<unsigned char>(attempt.address.data[attempt.address.size - 1]);
      ++count;
    }
    must(count == 0 || event.kind == P2PA_EVENT_DIAL_DONE);
    must(count <= 64);
  }
  static void on_event(void* run, const p2pa_event* event) {
    Run& self = *static_cast<Run*>(run);
    self.see(*event);
    if (self.input_.byte() % 3 == 0) self.inside();
  }
  static void on_log(void*, const p2pa_log_record* record) { must(record->text.data != nullptr); }
  /// What a callback does: anything but running or ending the node.
  void inside() {
    if (depth_ > 0) return;
    ++depth_;
    operation();
    --depth_;
  }

  // --- what can be done

  void open() {
    if (alive_.size() == kNodesMax || g_nodes_opened > 200) return;
    p2pa_limits limits;
    p2pa_limits_init(&limits);
    limits.events_max = kEventsMax;
    limits.memory_max = kMemoryMax;
    limits.message_bytes_max = 8000;
    p2pa_node_options options;
    p2pa_node_options_init(&options);
    const std::string listen = "/ip4/192.0.2." + std::to_string(g_nodes_opened + 1) + "/udp/4001/quic-v1";
    options.listen = listen.data();
    options.listen_size = listen.size();
    options.limits = &limits;
    options.serve_perf = 1;
    options.log = on_log;
    options.log_ctx = lend();
    options.log_drop = Lent::release;
    const std::uint8_t how = input_.byte();
    if (how >= 240) options.struct_size = 8u * (how % 20);  // of an older header, or of none
    if (how == 239) options.key_file = "/dev/null/key", options.key_file_size = 13;
    if (how == 238) options.keep_alive_us = -1, options.congestion_control = P2PA_CONGESTION_BBR;
    p2pa_node opened{};
    const std::int32_t status = p2pa_node_open(&options, how == 237 ? nullptr : &opened, error());
    must(fine(status) && (how >= 237 || status == P2PA_OK));
    if (options.struct_size < sizeof options) lent_.back()->released = 1;  // it was never seen
    if (status != P2PA_OK) return;
    alive_.push_back(opened);
    nodes_.push_back(opened.v);
    others_.push_back(opened.v);
    p2pa_peer& self = peers_.emplace_back();
    must(p2pa_node_peer(opened, &self) == P2PA_OK);
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      const std::string at = "/ip4/192.0.2." + std::to_string(i + 1) + "/udp/4001/quic-v1";
      called(p2pa_node_add_address(opened, &peers_[i], at.data(), at.size(), nullptr));
    }
    called(p2pa_node_serve(opened, "echo", 4, P2PA_SERVE_UNARY));
    called(p2pa_node_serve(opened, "talk", 4, P2PA_SERVE_STREAMING));
    called(p2pa_node_handle_protocol(opened, "/raw/1", 6));
  }
  void free() {
    const p2pa_node gone = node();
    const std::int32_t status = p2pa_node_free(gone);
    must(fine(status) && (depth_ == 0 || status != P2PA_OK || gone.v != running_));
    if (status == P2PA_OK) std::erase_if(alive_, [&](p2pa_node n) { return n.v == gone.v; });
  }
  /// Polls a node until it is closed, and takes all that it says.
  void finish(p2pa_node node) {
    called(p2pa_node_set_event_callback(node, nullptr, nullptr, nullptr));
    for (p2pa_event& event : taken_) called(p2pa_event_release(&event));
    taken_.clear();
    called(p2pa_node_close(node));
    std::int32_t status = P2PA_OK;
    if (closed_.contains(node.v)) status = P2PA_E_CLOSED;
    for (int i = 0; i < 5000 && status != P2PA_E_CLOSED; ++i) {
      p2pa_event event;
      p2pa_event_init(&event);
      status = p2pa_node_next_event(node, &event);
      if (status == P2PA_NONE) must((status = p2pa_node_poll(node, 100'000, 0)) >= 0);
      if (event.kind == P2PA_EVENT_NONE) continue;
      see(event);
      if (event.kind == P2PA_EVENT_CLOSED) {
        must(event.status == P2PA_OK);
        status = P2PA_E_CLOSED;
      }
      called(p2pa_event_release(&event));
    }
    must(status == P2PA_E_CLOSED);
    for (const auto& [asked, times] : completions_) {
      if (asked >> 48 == node.v >> 48 && asked > node.v) must(times == 1);
    }
  }

  void run_node() {
    const p2pa_node subject = node();
    running_ = subject.v;
    const std::uint8_t how = input_.byte();
    if (how % 2 == 0) {
      called(p2pa_node_poll(subject, how == 254 ? -1 : how * 1000, how % 5));
    } else {
      take(true, subject);
    }
    running_ = 0;
  }
  void take(bool wait, p2pa_node from) {
    p2pa_event event;
    p2pa_event_init(&event);
    const std::int32_t status = wait ? p2pa_node_wait_event(from, 0, &event) : p2pa_node_next_event(from, &event);
    must(fine(status));
    if (status == P2PA_OK) see(event);
    // A request is answered, mostly, or nothing would ever happen.
    const std::uint8_t how = input_.byte();
    if (event.kind == P2PA_EVENT_REQUEST && how < 200) {
      called(p2pa_call_reply(event.call, event.data.data, event.data.size));
    }
    if (how % 8 == 0 && taken_.size() < 16) return static_cast<void>(taken_.push_back(event));
    p2pa_event copy = event;
    called(p2pa_event_release(&event));
    if (how % 8 == 1) must(p2pa_event_release(&copy) == (status == P2PA_OK ? P2PA_E_STALE_HANDLE : P2PA_OK));
  }
  void release() {
    if (taken_.empty()) return static_cast<void>(p2pa_event_release(nullptr));
    called(p2pa_event_release(&taken_.back()));
    taken_.pop_back();
  }

  void ask() {
    const std::uint8_t how = input_.byte();
    const p2pa_node n = node();
    p2pa_call_options options;
    p2pa_call_options_init(&options);
    options.flags = how % 4;
    options.deadline_us = how * 100'000 - 1;
    switch (how % 9) {
      case 0: {
        const std::string_view to = address();
        return began(p2pa_node_dial(n, to.data(), to.size(), op(), error()));
      }
      case 1: return began(p2pa_node_dial_peer(n, peer(), op()));
      case 2: return began(p2pa_node_ping(n, peer(), op()));
      case 3: return began(p2pa_node_perf(n, peer(), how * 50u, how * 50u, op()));
      case 4:
      case 5: {
        const std::string_view method = text();
        const ByteView request = data();
        return began(p2pa_node_call(n, peer(), method.data(), method.size(), request.data(), request.size(),
                                    how % 2 == 0 ? &options : nullptr, op()));
      }
      case 6: {
        const std::string_view method = text();
        const ByteView message = data();
        return began(p2pa_node_notify(n, peer(), method.data(), method.size(), message.data(), message.size(), op()));
      }
      case 7: {
        const std::string_view protocol = text();
        return began(p2pa_node_open_stream(n, peer(), protocol.data(), protocol.size(), op()));
      }
      default: {
        const std::string_view method = text();
        p2pa_call opened{};
        const std::int32_t status =
            p2pa_node_call_open(n, peer(), method.data(), method.size(), &options, how == 251 ? nullptr : &opened);
        must(fine(status));
        if (status == P2PA_OK) calls_.push_back(opened.v), others_.push_back(opened.v);
      }
    }
  }
  void on_call() {
    const p2pa_call c = call();
    const ByteView bytes = data();
    switch (input_.byte() % 8) {
      case 0: return called(p2pa_call_send(c, bytes.data(), bytes.size()));
      case 1: return called(p2pa_call_send_take(c, bytes.data(), bytes.size(), Lent::release, lend()));
      case 2: return called(p2pa_call_finish(c));
      case 3: return called(p2pa_call_reply(c, bytes.data(), bytes.size()));
      case 4: return called(p2pa_call_reply_take(c, big_.data(), bytes.size(), Lent::release, lend()));
      case 5: return called(p2pa_call_fail(c, -1, "why", 3, bytes.data(), bytes.size()));
      case 6: return called(p2pa_call_cancel(c));
      default: return called(p2pa_op_cancel(pick<p2pa_op>(ops_)));
    }
  }
  void on_stream() {
    const p2pa_stream s = stream();
    const ByteView bytes = data();
    std::size_t taken = 0;
    switch (input_.byte() % 8) {
      case 0: return called(p2pa_stream_finish(s));
      case 1: return called(p2pa_stream_reset(s, bytes.size()));
      case 2: return called(p2pa_stream_write_take(s, big_.data(), bytes.size(), Lent::release, lend()));
      case 3: {
        const p2pa_peer* to = peer();
        return called(p2pa_node_send_datagram(node(), to, bytes.data(), bytes.size()));
      }
      default:
        called(p2pa_stream_write(s, bytes.data(), bytes.size(), &taken));
        must(taken <= bytes.size());
    }
  }
  void change() {
    const p2pa_node n = node();
    const std::string_view name = text();
    const std::string_view where = address();
    const std::uint8_t how = input_.byte();
    switch (how % 9) {
      case 0: return called(p2pa_node_listen(n, where.data(), where.size(), error()));
      case 1: return called(p2pa_node_add_address(n, peer(), where.data(), where.size(), error()));
      case 2: return called(p2pa_node_disconnect(n, peer()));
      case 3: return called(p2pa_node_serve(n, name.data(), name.size(), how % 4));
      case 4: return called(p2pa_node_stop_serving(n, name.data(), name.size()));
      case 5: return called(p2pa_node_handle_protocol(n, name.data(), name.size()));
      case 6:
      case 7: {
        // The triple's context is what counts its drops; the run is found through it no other way.
        const bool set = how % 2 == 0;
        return called(p2pa_node_set_event_callback(n, set ? on_event : nullptr, this, nullptr));
      }
      default: return how < 32 ? called(p2pa_node_close(n)) : drop_callback(n);
    }
  }
  void drop_callback(p2pa_node n) {
    called(p2pa_node_set_event_callback(n, nullptr, lend(), Lent::release));
  }
  void care(p2pa_node n) {
    const std::uint8_t how = input_.byte();
    const std::string text = how % 4 == 0 ? "127.0.0.0/8" : how % 4 == 1 ? "/echo/1" : std::string(how % 3, 'x');
    switch (how % 20) {
      case 14: return called(p2pa_node_set_rate_limit(n, text.data(), text.size(), how % 4, input_.byte() * 1000, 0));
      case 15: return called(p2pa_node_clear_rate_limit(n, text.data(), text.size(), how % 4));
      case 16: {
        std::uint64_t rate = 0, burst = 0;
        return called(p2pa_node_rate_limit(n, text.data(), text.size(), how % 4, &rate, &burst));
      }
      case 17: {
        called(p2pa_call_set_priority(call(), how % 5));
        return called(p2pa_stream_set_priority(stream(), how % 5));
      }
      case 18: {
        p2pa_session_message_options options;
        p2pa_session_message_options_init(&options);
        options.delivery = how % 6;
        options.correction = how / 8 % 2;
        options.lifetime_us = how / 16;
        const ByteView bytes = data();
        return called(p2pa_node_send_session_message(n, peer(), bytes.data(), bytes.size(), &options));
      }
      case 19: {
        // What is said without a topic goes nowhere: this test is not for the network that it runs in.
        const ByteView bytes = data();
        called(p2pa_node_send_lan(n, nullptr, 0, bytes.data(), bytes.size()));
        called(p2pa_node_join_lan(n, text.data(), text.size()));
        std::uint64_t dropped = 0;
        called(p2pa_node_lan_drops(n, how % 16, &dropped));
        return called(p2pa_node_leave_lan(n, text.data(), text.size()));
      }
      case 10: return began(p2pa_node_open_channel(n, peer(), nullptr, op()));
      case 11: {
        const ByteView bytes = data();
        return called(p2pa_channel_send(channel(), bytes.data(), bytes.size()));
      }
      case 12: return called(p2pa_channel_close(channel()));
      case 13: {
        p2pa_channel_stats stats;
        p2pa_channel_stats_init(&stats);
        return called(p2pa_channel_info(channel(), &stats));
      }
      case 0: return called(p2pa_node_keep(n, peer()));
      case 1: return called(p2pa_node_unkeep(n, peer()));
      case 2: return called(p2pa_node_protect(n, peer(), text.data(), text.size()));
      case 3: return called(p2pa_node_unprotect(n, peer(), text.data(), text.size()));
      case 4: return called(p2pa_node_set_value(n, peer(), text.data(), text.size(), how));
      case 5: return called(p2pa_node_choose_peer(n, peers_.data(), peers_.size(), &scratch_peer_));
      case 6: return called(p2pa_node_deny(n, text.data(), text.size()));
      case 7: return called(p2pa_node_allow(n, text.data(), text.size()));
      case 8: return called(p2pa_node_forget_rule(n, text.data(), text.size()));
      default: return called(p2pa_node_allow_only(n, input_.byte() % 3));
    }
  }
  void look() {
    const p2pa_node n = node();
    std::size_t size = 0;
    std::uint64_t numbers[4] = {};
    p2pa_connection_info info;
    p2pa_connection_info_init(&info);
    const std::uint8_t how = input_.byte();
    switch (how % 14) {
      case 13: return care(n);
      case 0: return called(p2pa_node_addresses(n, room(size), &size));
      case 1: size = how % 5; return called(p2pa_node_connections(n, numbers, &size));
      case 2: return called(p2pa_node_connection_info(n, how % 8, &info));
      case 3: return called(p2pa_node_connection_address(n, how % 8, room(size), &size));
      case 4: {
        const p2pa_peer* of = peer();
        return called(p2pa_node_peer_info(n, of, how % 7, room(size), &size));
      }
      case 5:
        if (how >= 128) return called(p2pa_node_drops(n, how % 32, numbers));
        return called(p2pa_node_limit_refusals(n, how % 16, numbers));
      case 6: {
        std::int64_t in_us = 0;
        return called(p2pa_node_next_deadline(n, &in_us));
      }
      case 7: {
        intptr_t fd = 0;
        return called(p2pa_node_wakeup_fd(n, &fd));
      }
      case 8: return called(p2pa_node_peer(n, &scratch_peer_));
      case 9: return called(p2pa_node_stop_thread(n));
      case 10: {
        p2pa_usage usage;
        p2pa_usage_init(&usage);
        called(p2pa_node_usage(n, &usage));
        must(usage.events <= kEventsMax && usage.memory <= kMemoryMax);
        return;
      }
      case 11: return called(p2pa_node_start_thread(p2pa_node{n.v ^ std::uint64_t{1} << 46}));  // one that is none
      default: return values();
    }
  }
  void values() {
    std::size_t size = 0;
    std::uint32_t major = 0, minor = 0;
    char* to = room(size);
    const ByteView bytes = data();
    const std::string_view words = as_text(bytes);
    called(p2pa_abi_version(&major, &minor));
    must(p2pa_version() != nullptr && p2pa_limit_name(size > 0 ? 1 : 99) != nullptr);
    must(p2pa_drop_name(size > 0 ? 1 : 99) != nullptr && p2pa_lan_drop_name(size > 0 ? 1 : 99) != nullptr);
    must(p2pa_status_text(static_cast<std::int32_t>(size) - 8) != nullptr);
    called(p2pa_peer_parse(words.data(), words.size(), &scratch_peer_));
    called(p2pa_address_peer(words.data(), words.size(), &scratch_peer_));
    called(p2pa_key_peer(bytes.data(), bytes.size(), &scratch_peer_));
    called(p2pa_peer_text(peer(), to, &size));
    std::size_t key_size = size;
    called(p2pa_key_generate(reinterpret_cast<std::uint8_t*>(to), &key_size));
  }

  void operation() {
    switch (input_.byte() % 16) {
      case 0: return open();
      case 1: return input_.byte() % 8 == 0 ? free() : look();
      case 2:
      case 3: return ask();
      case 4:
      case 5: return on_call();
      case 6:
      case 7: return on_stream();
      case 8: return change();
      case 9: return look();
      case 10: return take(false, node());
      case 11: return release();
      default: return run_node();
    }
  }

  Input& input_;
  Lan lan_;
  std::vector<p2pa_node> alive_;
  std::vector<std::uint64_t> nodes_, ops_, calls_, streams_, channels_, others_;  // also stale ones
  std::vector<p2pa_peer> peers_;
  std::map<std::uint64_t, int> completions_;
  std::set<std::uint64_t> closed_;
  std::vector<p2pa_event> taken_;
  std::vector<std::unique_ptr<Lent>> lent_;
  std::array<char, 512> buffer_{};
  Bytes big_ = Bytes(std::size_t{1} << 20, 5);
  std::string scratch_text_;
  p2pa_peer scratch_peer_{};
  p2pa_op op_{};
  p2pa_error_info error_{};
  std::uint64_t running_ = 0, sum_ = 0;
  int depth_ = 0;
};

}  // namespace

/// Whatever is called with whatever: a status that the header knows, every completion once, what was lent
/// given back once, and nothing left.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Input input(ByteView(data, size));
  Run run(input);
  run();
  return 0;
}
