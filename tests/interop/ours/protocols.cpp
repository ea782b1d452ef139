#include "protocols.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace interop {
namespace {

using p2pa::AgentStream;
using p2pa::AgentStreamHandler;
using p2pa::Bytes;
using p2pa::ByteView;
using p2pa::Error;

struct Served {
  p2pa::Node* node;
  bool report;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t to_send = 0;
  Bytes head{};
  bool ended = false;
};
using State = std::shared_ptr<Served>;

void print_event(const State& state, const char* event, Json fields) {
  if (!state->report) return;
  Json object = {{"event", event}};
  object.update(fields);
  print_line(object);
}

// --- echo

void echo(AgentStream& stream, Served& state) {
  while (!stream.peek().empty()) {
    const auto taken = stream.write(stream.peek());
    if (!taken || *taken == 0) return;
    state.received += *taken;
    stream.consume(*taken);
  }
  if (stream.at_end()) stream.finish();
}

void accept_echo(AgentStream& stream, const State& state) {
  AgentStreamHandler handler;
  handler.on_readable = [state](AgentStream& s) { echo(s, *state); };
  handler.on_writable = [state](AgentStream& s) { echo(s, *state); };
  handler.on_end = [state](AgentStream& s, const Error& why) {
    Json fields = {{"peer", s.peer().to_string()}, {"bytes", state->received}};
    add_end(fields, why);
    print_event(state, "echo", fields);
  };
  stream.set_handler(std::move(handler));
}

// --- half-close: our end is over before the other's begins

void report_count(const State& state, const p2pa::PeerId& peer) {
  state->node->open_stream(peer, kCount, [count = state->received](p2pa::Result<AgentStream*> opened) {
    if (!opened) return;
    (void)(*opened)->write(big_endian(count));
    (*opened)->finish();
  });
}

void accept_half_close(AgentStream& stream, const State& state) {
  AgentStreamHandler handler;
  handler.on_readable = [state](AgentStream& s) {
    state->received += drain(s);
    if (!s.at_end() || std::exchange(state->ended, true)) return;
    print_event(state, "half-close",
                {{"peer", s.peer().to_string()}, {"received", state->received}, {"end", "fin"}});
    report_count(state, s.peer());
  };
  handler.on_end = [state](AgentStream& s, const Error& why) {
    if (state->ended) return;
    Json fields = {{"peer", s.peer().to_string()}, {"received", state->received}};
    add_end(fields, why);
    print_event(state, "half-close", fields);
  };
  stream.set_handler(std::move(handler));
  (void)stream.write(Bytes(1024, 'h'));
  stream.finish();
}

// --- reset

void accept_reset(AgentStream& stream, const State& state) {
  AgentStreamHandler handler;
  handler.on_readable = [state](AgentStream& s) {
    if (drain(s) == 0 || std::exchange(state->ended, true)) return;
    s.reset(kResetCode);
    print_event(state, "reset", {{"peer", s.peer().to_string()}, {"code", kResetCode}});
  };
  stream.set_handler(std::move(handler));
}

// --- perf, here as a raw protocol because its server is to report what it did

void send_download(AgentStream& stream, Served& state) {
  static const Bytes zeros(64 * 1024);
  while (state.sent < state.to_send) {
    const auto n = std::min<std::uint64_t>(zeros.size(), state.to_send - state.sent);
    const auto taken = stream.write(ByteView(zeros).first(static_cast<std::size_t>(n)));
    if (!taken || *taken == 0) return;
    state.sent += *taken;
    if (*taken < n) return;
  }
  stream.finish();
}

void read_upload(AgentStream& stream, Served& state) {
  while (!stream.peek().empty()) {
    const ByteView here = stream.peek();
    const std::size_t head = std::min<std::size_t>(here.size(), 8 - state.head.size());
    state.head.insert(state.head.end(), here.begin(), here.begin() + static_cast<std::ptrdiff_t>(head));
    state.received += here.size() - head;
    stream.consume(here.size());
  }
  if (!stream.at_end() || std::exchange(state.ended, true)) return;
  if (state.head.size() < 8) return stream.reset(0);
  state.to_send = from_big_endian(state.head);
  send_download(stream, state);
}

void accept_perf(AgentStream& stream, const State& state) {
  AgentStreamHandler handler;
  handler.on_readable = [state](AgentStream& s) { read_upload(s, *state); };
  handler.on_writable = [state](AgentStream& s) {
    if (state->ended) send_download(s, *state);
  };
  handler.on_end = [state](AgentStream& s, const Error&) {
    print_event(state, "perf",
                {{"peer", s.peer().to_string()}, {"received", state->received}, {"sent", state->sent}});
  };
  stream.set_handler(std::move(handler));
}

}  // namespace

bool serve_all(p2pa::Node& node, bool report) {
  const std::pair<const char*, void (*)(AgentStream&, const State&)> served[] = {
      {kEcho, accept_echo}, {kHalfClose, accept_half_close}, {kReset, accept_reset}, {kPerf, accept_perf}};
  return std::ranges::all_of(served, [&](const auto& entry) {
    return node
        .handle_protocol(entry.first,
                         [&node, report, accept = entry.second](AgentStream& stream) {
                           accept(stream, std::make_shared<Served>(Served{&node, report}));
                         })
        .has_value();
  });
}

bool serve_count(p2pa::Node& node, std::optional<std::uint64_t>& counted) {
  return node
      .handle_protocol(kCount,
                       [&counted](AgentStream& stream) {
                         AgentStreamHandler handler;
                         handler.on_readable = [&counted, bytes = Bytes{}](AgentStream& s) mutable {
                           while (!s.peek().empty()) {
                             const ByteView here = s.peek();
                             bytes.insert(bytes.end(), here.begin(), here.end());
                             s.consume(here.size());
                           }
                           if (!s.at_end()) return;
                           if (bytes.size() == 8) counted = from_big_endian(bytes);
                           s.finish();
                         };
                         stream.set_handler(std::move(handler));
                       })
      .has_value();
}

void add_end(Json& object, const Error& why) {
  if (why.code == p2pa::Code::kOk) {
    object["end"] = "fin";
  } else if (why.code == p2pa::Code::kStreamReset) {
    object["end"] = "reset";
    object["code"] = why.detail;
  } else {
    object["end"] = "error";
  }
}

std::uint64_t drain(AgentStream& stream) {
  std::uint64_t total = 0;
  while (!stream.peek().empty()) {
    const std::size_t n = stream.peek().size();
    total += n;
    stream.consume(n);
  }
  return total;
}

Bytes big_endian(std::uint64_t number) {
  Bytes out(8);
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return out;
}

Bytes big_endian32(std::uint32_t number) {
  const Bytes all = big_endian(number);
  return {all.begin() + 4, all.end()};
}

std::uint64_t from_big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

}  // namespace interop
