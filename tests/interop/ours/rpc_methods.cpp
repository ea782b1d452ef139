#include <algorithm>
#include <memory>
#include <utility>

#include "protocols.hpp"
#include "rpc.hpp"

namespace interop {
namespace {

using p2pa::ApplicationError;
using p2pa::Bytes;
using p2pa::ByteView;
using p2pa::Call;
using p2pa::CallHandler;
using p2pa::CallOutcome;
using p2pa::Code;

const ApplicationError kTheError{42, "no such document", {1, 2}};

/// Each message back as it comes: unary with one, two-way with several.
void echo(Call& call) {
  CallHandler handler;
  const auto held = std::make_shared<Bytes>();
  handler.on_message = [held](Call& c, ByteView message) {
    if (c.send(message)) return;
    held->assign(message.begin(), message.end());
    c.pause();
  };
  handler.on_writable = [held](Call& c) {
    if (c.send(*held)) c.resume();
  };
  handler.on_finished = [](Call& c) { c.finish(); };
  call.set_handler(std::move(handler));
}

/// As many messages as the request says, each its number.
void count(Call& call) {
  struct State {
    std::uint64_t next = 0, end = 0;
    bool asked = false;
  };
  const auto state = std::make_shared<State>();
  const auto send = [state](Call& c) {
    for (; state->next < state->end; ++state->next) {
      if (!c.send(big_endian32(static_cast<std::uint32_t>(state->next)))) return;
    }
    c.finish();
  };
  CallHandler handler;
  handler.on_message = [state, send](Call& c, ByteView request) {
    if (request.size() != 4 || std::exchange(state->asked, true)) return c.fail(kTheError);
    state->end = from_big_endian(request);
    send(c);
  };
  handler.on_writable = send;
  call.set_handler(std::move(handler));
}

void sum(Call& call) {
  CallHandler handler;
  const auto total = std::make_shared<std::uint64_t>(0);
  handler.on_message = [total](Call& c, ByteView message) {
    if (message.size() != 4) return c.fail(kTheError);
    *total += from_big_endian(message);
  };
  handler.on_finished = [total](Call& c) {
    if (c.send(big_endian(*total))) c.finish();
  };
  call.set_handler(std::move(handler));
}

/// How a call that nobody answered ended.
const char* end_of(const CallOutcome& outcome) {
  switch (outcome.error.code) {
    case Code::kCancelled: return "cancelled";
    case Code::kDeadlineExceeded: return "deadline";
    default: return "error";
  }
}

/// Says that it is there, and leaves it to the other end to give up.
void wait(Call& call, bool report) {
  CallHandler handler;
  handler.on_end = [report](Call& c, const CallOutcome& outcome) {
    if (!report) return;
    print_line({{"event", "rpc-wait"}, {"peer", c.peer().to_string()}, {"end", end_of(outcome)}});
  };
  call.set_handler(std::move(handler));
  (void)call.send({});
}

void log(Call& call, bool report) {
  CallHandler handler;
  handler.on_message = [report](Call& c, ByteView message) {
    if (!report) return;
    print_line({{"event", "rpc-log"}, {"peer", c.peer().to_string()}, {"bytes", message.size()}});
  };
  handler.on_finished = [](Call& c) { c.finish(); };
  call.set_handler(std::move(handler));
}

}  // namespace

bool serve_rpc(p2pa::Node& node, bool report) {
  const auto fail = [](const p2pa::PeerId&, ByteView) -> std::expected<Bytes, ApplicationError> {
    return std::unexpected(kTheError);
  };
  return node.serve("echo", echo) && node.serve("count", count) && node.serve("sum", sum) &&
         node.serve("fail", fail) && node.serve("cancel", [](Call& call) { call.cancel(); }) &&
         node.serve("wait", [report](Call& call) { wait(call, report); }) &&
         node.serve("log", [report](Call& call) { log(call, report); });
}

}  // namespace interop
