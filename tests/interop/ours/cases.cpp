#include "cases.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "exchange.hpp"
#include "p2pagents/version.hpp"
#include "protocols.hpp"
#include "rpc.hpp"
#include "session.hpp"
#include "soak.hpp"

namespace interop {
namespace {

using p2pa::Code;
using p2pa::Node;

Outcome handshake(Session& s) {
  const p2pa::Instant start_time = s.node.now();
  if (auto connected = connect(s); !connected) return connected;
  s.report["handshake_ms"] = (s.node.now() - start_time).seconds() * 1e3;
  s.report["remote_peer"] = s.connection.peer.to_string();
  s.report["remote_addr"] = bare(s.connection.remote_address);
  return {};
}

Outcome identify(Session& s) {
  if (auto waited = s.wait([&] { return s.identified.has_value(); }); !waited) return waited;
  s.report["identified"] = identified_fields(*s.identified);
  return {};
}

Outcome ping(Session& s) {
  s.report["rtts_ms"] = Json::array();
  for (int i = 0; i < s.options.rounds; ++i) {
    double ms = 0;
    if (auto pinged = ping_once(s, ms); !pinged) return pinged;
    s.report["rtts_ms"].push_back(ms);
  }
  return {};
}

Outcome perf(Session& s) {
  const auto result = later<p2pa::Result<p2pa::PerfResult>>();
  s.node.perf(s.connection.peer, s.options.upload_bytes, s.options.download_bytes,
              [result](auto r) { *result = std::move(r); });
  if (auto waited = s.wait([&] { return result->has_value(); }); !waited) return waited;
  if (!**result) return failed((*result)->error());
  const p2pa::PerfResult& measured = ***result;
  s.report["upload_bytes"] = measured.bytes_up;
  s.report["download_bytes"] = measured.bytes_down;
  s.report["seconds"] = (measured.upload + measured.download).seconds();
  return {};
}

/// Streams on which a byte went there and back, and which say no more for now.
Outcome open_idle(Session& s, std::vector<Exchanging>& idle) {
  for (int i = 0; i < s.options.parallel; ++i) {
    idle.push_back(std::make_shared<Exchange>());
    idle.back()->to_send = 1;
    idle.back()->keep_open = true;
    start(s, kEcho, idle.back());
  }
  const auto echoed = [](const Exchanging& e) { return e->received == 1 || e->ended.has_value(); };
  return s.wait([&] { return std::ranges::all_of(idle, echoed); });
}

Outcome end_idle(Session& s, const std::vector<Exchanging>& idle) {
  for (const Exchanging& exchange : idle) {
    if (exchange->stream == nullptr) return failed("a stream that was idle has ended");
    exchange->keep_open = false;
    exchange->pump();
  }
  for (const Exchanging& exchange : idle) {
    if (auto finished = finish(s, exchange); !finished) return finished;
  }
  return {};
}

/// Much there and back while other streams are open and idle.
Outcome echo(Session& s) {
  std::vector<Exchanging> idle;
  if (auto opened = open_idle(s, idle); !opened) return opened;
  const auto hashes = std::make_shared<Hashed>();
  const auto exchange = hashed_exchange(s.bytes_or(64 << 20), hashes);
  const p2pa::Instant begin = s.node.now();
  start(s, kEcho, exchange);
  if (auto finished = finish(s, exchange); !finished) return finished;
  s.report["bytes"] = exchange->received;
  s.report["seconds"] = (s.node.now() - begin).seconds();
  s.report["sha256_sent"] = hex_digest(hashes->sent);
  s.report["sha256_received"] = hex_digest(hashes->received);
  if (s.report["sha256_sent"] != s.report["sha256_received"]) return failed("other bytes came back");
  s.report["idle_streams"] = idle.size();
  return end_idle(s, idle);
}

/// Passes when the failure is of this kind.
Outcome expect_kind(Session& s, const Outcome& outcome, const char* kind) {
  if (outcome) return failed("it was not refused");
  s.report["error_kind"] = outcome.error().kind;
  s.report["refusal"] = outcome.error().text;
  if (outcome.error().kind != kind) return std::unexpected(outcome.error());
  return {};
}

Outcome wrong_peer(Session& s) {
  const auto stranger = options_for({}).key->peer_id();
  const auto address = p2pa::Multiaddr::parse(s.options.address).value();
  const auto outcome = connect_to(s, address.without_peer_id().with_peer_id(stranger));
  return expect_kind(s, outcome, "peer-id-mismatch");
}

Outcome unsupported(Session& s) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->keep_open = true;
  start(s, kUnsupported, exchange);
  if (auto refused = expect_kind(s, finish(s, exchange), "unsupported-protocol"); !refused) return refused;
  return ping_same_connection(s);
}

Outcome streams(Session& s) {
  const std::uint64_t size = s.bytes_or(1024);
  const p2pa::Instant begin = s.node.now();
  int started = 0, done = 0;
  std::optional<Failed> problem;
  std::vector<std::pair<Exchanging, std::shared_ptr<Hashed>>> running;
  const auto step = [&] {
    std::erase_if(running, [&](auto& pair) {
      auto& [exchange, hashes] = pair;
      if (!exchange->ended) return false;
      if (exchange->ended->code != Code::kOk) {
        problem = failed(*exchange->ended).error();
      } else if (exchange->received != size || hex_digest(hashes->sent) != hex_digest(hashes->received)) {
        problem = Failed{"other", "other bytes came back"};
      }
      ++done;
      return true;
    });
    while (started < s.options.count && running.size() < static_cast<std::size_t>(s.options.parallel)) {
      const auto hashes = std::make_shared<Hashed>();
      running.emplace_back(hashed_exchange(size, hashes), hashes);
      start(s, kEcho, running.back().first);
      ++started;
    }
    return done == s.options.count || problem.has_value();
  };
  if (auto waited = s.wait(step); !waited) return waited;
  if (problem) return std::unexpected(*problem);
  s.report["streams"] = done;
  s.report["seconds"] = (s.node.now() - begin).seconds();
  return {};
}

Outcome half_close_local(Session& s) {
  const auto hashes = std::make_shared<Hashed>();
  const auto exchange = hashed_exchange(s.bytes_or(64 << 10), hashes);
  start(s, kEcho, exchange);
  if (auto finished = finish(s, exchange); !finished) return finished;
  s.report["bytes"] = exchange->received;
  if (hex_digest(hashes->sent) != hex_digest(hashes->received)) return failed("other bytes came back");
  return {};
}

Outcome half_close_remote(Session& s) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->keep_open = true;
  start(s, kHalfClose, exchange);
  const auto greeted = [&] { return exchange->at_end || exchange->ended.has_value(); };
  if (auto waited = s.wait(greeted); !waited) return waited;
  if (exchange->stream == nullptr) return failed("the stream ended with the greeting");
  s.report["received"] = exchange->received;
  exchange->to_send = s.bytes_or(1 << 20);
  s.report["sent"] = exchange->to_send;
  exchange->keep_open = false;
  exchange->pump();
  if (auto waited = s.wait([&] { return s.counted.has_value(); }); !waited) return waited;
  s.report["counted"] = *s.counted;
  return {};
}

Outcome reset_local(Session& s) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->keep_open = true;
  exchange->to_send = s.bytes_or(1024);
  const std::uint64_t size = exchange->to_send;
  start(s, kEcho, exchange);
  const auto echoed = [&] { return exchange->received == size || exchange->ended.has_value(); };
  if (auto waited = s.wait(echoed); !waited) return waited;
  if (exchange->stream == nullptr) return failed("the stream ended too early");
  exchange->stream->reset(kResetCode);
  s.report["bytes"] = exchange->received;
  s.report["code"] = kResetCode;
  return ping_same_connection(s);
}

Outcome reset_remote(Session& s) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->keep_open = true;
  exchange->to_send = 1;
  start(s, kReset, exchange);
  const auto over = [&] { return exchange->at_end || exchange->ended.has_value(); };
  if (auto waited = s.wait(over); !waited) return waited;
  if (exchange->ended) {
    add_end(s.report, *exchange->ended);
    s.report["write_refused"] = true;  // the stream is gone with all its directions
  } else {
    s.report["end"] = "fin";
    const auto limit = s.node.now() + p2pa::seconds(2);
    bool refused = false;
    s.node.poll_until([&] {
      refused = exchange->stream == nullptr || !exchange->stream->write(p2pa::as_bytes("x"));
      return refused;
    }, limit - s.node.now());
    s.report["write_refused"] = refused;
  }
  return ping_same_connection(s);
}

/// Nothing is said on a stream for longer than any side bears silence.
Outcome idle(Session& s) {
  if (auto pinged = ping_same_connection(s); !pinged) return pinged;
  s.node.poll_until([] { return false; }, duration(s.options.idle_s));
  s.report["seconds"] = s.options.idle_s;
  return ping_same_connection(s);
}

/// What comes before most cases.
Outcome begin(Session& s) {
  if (auto connected = connect(s); !connected) return connected;
  for (int i = 0; i < s.options.pings_first; ++i) {
    if (auto pinged = ping_same_connection(s); !pinged) return pinged;
  }
  return {};
}

const std::map<std::string, Case>& cases() {
  static const std::map<std::string, Case> all = [] {
    std::map<std::string, Case> out = {
        {"handshake", {handshake, false}},
        {"identify", {identify, true}},
        {"ping", {ping, true}},
        {"perf", {perf, true}},
        {"echo", {echo, true}},
        {"wrong-peer", {wrong_peer, false}},
        {"unsupported", {unsupported, true}},
        {"streams", {streams, true}},
        {"half-close-local", {half_close_local, true}},
        {"half-close-remote", {half_close_remote, true}},
        {"reset-local", {reset_local, true}},
        {"reset-remote", {reset_remote, true}},
        {"idle", {idle, true}},
        {"soak", {soak, true}},
    };
    out.insert(rpc_cases().begin(), rpc_cases().end());
    return out;
  }();
  return all;
}

}  // namespace

bool known_case(const std::string& name) { return cases().contains(name); }

int run_dialer(const DialOptions& options) {
  p2pa::NodeOptions node_options = options_for(options.node);
  auto opened = Node::open(std::move(node_options));
  if (!opened) return 1;
  Node& node = **opened;
  const auto end = node.now() + duration(options.timeout_s);
  Session session{.options = options, .node = node, .end = end};
  if (!serve_all(node, false) || !serve_rpc(node, false) || !serve_count(node, session.counted)) return 1;
  node.on_event([&](const p2pa::NodeEvent& event) {
    if (event.kind == p2pa::NodeEvent::Kind::kIdentified) session.identified = node.info(event.peer);
  });

  const Case& chosen = cases().at(options.name);
  Outcome outcome = chosen.connects_first ? begin(session) : Outcome{};
  if (outcome) outcome = chosen.run(session);
  Json line = {{"case", options.name}, {"pass", outcome.has_value()}, {"peer", node.id().to_string()},
               {"agent", "p2pagents/" P2PA_VERSION_TEXT}};
  line.update(session.report);
  if (!outcome) {
    line["error"] = outcome.error().text;
    line["error_kind"] = outcome.error().kind;
  }
  print_line(line);
  while (!told_to_stop() && node.now() < end) {
    if (!node.poll(p2pa::milliseconds(20))) break;
  }
  node.close();
  node.poll_until([&] { return node.closed(); }, p2pa::seconds(2));
  return outcome ? 0 : 1;
}

}  // namespace interop
