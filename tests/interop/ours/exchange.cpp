#include "exchange.hpp"

#include <algorithm>
#include <utility>

namespace interop {
namespace {

using p2pa::AgentStream;
using p2pa::AgentStreamHandler;
using p2pa::ByteView;
using p2pa::Error;

void attach(AgentStream& stream, const Exchanging& exchange) {
  exchange->stream = &stream;
  AgentStreamHandler handler;
  handler.on_readable = [exchange](AgentStream&) { exchange->read(); };
  handler.on_writable = [exchange](AgentStream&) { exchange->pump(); };
  handler.on_end = [exchange](AgentStream&, const Error& why) {
    exchange->ended = why;
    exchange->stream = nullptr;
  };
  stream.set_handler(std::move(handler));
  exchange->pump();
}

}  // namespace

void Exchange::pump() {
  for (;;) {
    if (pending.empty()) {
      if (to_send == 0) break;
      pending.resize(static_cast<std::size_t>(std::min<std::uint64_t>(to_send, 64 * 1024)));
      if (fill) fill(pending);
      to_send -= pending.size();
    }
    const auto taken = stream->write(pending);
    if (!taken || *taken == 0) return;
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(*taken));
  }
  if (!std::exchange(keep_open, true)) stream->finish();
}

void Exchange::read() {
  while (!stream->peek().empty()) {
    const ByteView here = stream->peek();
    if (take) take(here);
    received += here.size();
    stream->consume(here.size());
  }
  at_end = at_end || stream->at_end();
}

void start(Session& s, const char* protocol, const Exchanging& exchange) {
  s.node.open_stream(s.connection.peer, protocol, [exchange](p2pa::Result<AgentStream*> opened) {
    if (!opened) {
      exchange->ended = opened.error();
    } else {
      attach(**opened, exchange);
    }
  });
}

Outcome finish(Session& s, const Exchanging& exchange) {
  if (auto waited = s.wait([&] { return exchange->ended.has_value(); }); !waited) return waited;
  return exchange->ended->code == p2pa::Code::kOk ? Outcome{} : failed(*exchange->ended);
}

Hashed::Hashed() {
  randombytes_buf(seed, sizeof seed);
  crypto_hash_sha256_init(&sent);
  crypto_hash_sha256_init(&received);
}

std::string hex_digest(crypto_hash_sha256_state& state) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  char text[2 * sizeof digest + 1];
  crypto_hash_sha256_final(&state, digest);
  return sodium_bin2hex(text, sizeof text, digest, sizeof digest);
}

Exchanging hashed_exchange(std::uint64_t bytes, const std::shared_ptr<Hashed>& hashes) {
  auto exchange = std::make_shared<Exchange>();
  exchange->to_send = bytes;
  exchange->fill = [hashes](p2pa::MutableBytes out) {
    randombytes_buf_deterministic(out.data(), out.size(), hashes->seed);
    sodium_increment(hashes->seed, sizeof hashes->seed);
    crypto_hash_sha256_update(&hashes->sent, out.data(), out.size());
  };
  exchange->take = [hashes](ByteView in) {
    crypto_hash_sha256_update(&hashes->received, in.data(), in.size());
  };
  return exchange;
}

}  // namespace interop
