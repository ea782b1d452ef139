#include "stream.hpp"

#include <algorithm>

#include "cases.hpp"
#include "usage.hpp"

namespace bench {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::int64_t kWarmUpRounds = 200;

}  // namespace

p2pa::AgentStream& open_stream(Loop& loop, p2pa::Node& node, const p2pa::PeerId& peer,
                               std::string_view protocol) {
  std::optional<p2pa::Result<p2pa::AgentStream*>> opened;
  node.open_stream(peer, protocol, [&](auto result) { opened = result; });
  loop.await([&] { return opened.has_value(); });
  if (!*opened) die("no stream: " + p2pa::describe(opened->error()));
  return ***opened;
}

// --- upload

Upload::Upload(p2pa::AgentStream& stream) : stream_(stream), piece_(kPieceBytes) {
  stream.set_handler({
      .on_readable = [this](p2pa::AgentStream& s) {
        for (p2pa::ByteView here = s.peek(); !here.empty(); here = s.peek()) {
          answer_.insert(answer_.end(), here.begin(), here.end());
          s.consume(here.size());
        }
        if (!s.at_end()) return;
        std::int64_t count = 0;
        for (const std::uint8_t byte : answer_) count = count << 8 | byte;
        counted_ = count;
      },
      .on_writable = [this](p2pa::AgentStream&) { pump(); },
      .on_end = {}});
}

void Upload::send(std::int64_t bytes) {
  left_ += bytes;
  pump();
}

void Upload::pump() {
  while (left_ > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(left_, kPieceBytes));
    const auto taken = stream_.write(p2pa::ByteView(piece_).first(n));
    if (!taken) die("upload: " + p2pa::describe(taken.error()));
    left_ -= static_cast<std::int64_t>(*taken);
    if (*taken < n) return;
  }
}

// --- ping-pong

PingPong::PingPong(p2pa::AgentStream& stream, std::int64_t size, std::int64_t depth)
    : stream_(stream), message_(static_cast<std::size_t>(size), 7), starts_(static_cast<std::size_t>(depth)) {
  stream.set_handler({.on_readable = [this](p2pa::AgentStream&) { receive(); },
                      .on_writable = {},
                      .on_end = [](p2pa::AgentStream&, const p2pa::Error& why) {
                        if (why.code != p2pa::Code::kOk) die("echo: " + p2pa::describe(why));
                      }});
}

void PingPong::start(std::int64_t rounds) {
  times_.clear();
  times_.reserve(static_cast<std::size_t>(rounds));
  rounds_ = rounds;
  sent_ = received_ = 0;
  const auto depth = static_cast<std::int64_t>(starts_.size());
  while (sent_ < std::min(rounds, depth)) send();
}

void PingPong::send() {
  starts_[static_cast<std::size_t>(sent_) % starts_.size()] = now();
  const auto taken = stream_.write(message_);
  if (!taken || *taken != message_.size()) die("the stream does not take a message");
  ++sent_;
}

void PingPong::receive() {
  for (p2pa::ByteView here = stream_.peek(); !here.empty(); here = stream_.peek()) {
    partial_ += here.size();
    stream_.consume(here.size());
  }
  for (; partial_ >= message_.size(); partial_ -= message_.size()) {
    times_.push_back(now() - starts_[static_cast<std::size_t>(received_) % starts_.size()]);
    ++received_;
    if (sent_ < rounds_) send();
  }
}

// --- the cases

void bulk(const Options& options) {
  const auto node = open_node(Listen::kNowhere);
  Loop loop;
  loop.add(*node);
  const auto connection = dial(loop, *node, options.address);
  Upload upload(open_stream(loop, *node, connection.peer, kUploadProtocol));
  const Meter meter;
  upload.send(options.bytes);
  loop.await([&] { return upload.taken(); });
  upload.finish();
  loop.await([&] { return upload.counted().has_value(); });
  if (*upload.counted() != options.bytes) die("the server counted other bytes");
  Json line{{"peer", "ours"}, {"case", "bulk"}, {"bytes", options.bytes}};
  line["gbit_s"] = static_cast<double>(options.bytes) * 8e-9 / meter.seconds();
  meter.add_to(line, options.bytes);
  print_line(line);
  loop.run_until_stdin_ends();
}

void pingpong(const Options& options) {
  const auto node = open_node(Listen::kNowhere);
  Loop loop;
  loop.add(*node);
  const auto connection = dial(loop, *node, options.address);
  PingPong exchange(open_stream(loop, *node, connection.peer, kEchoProtocol), options.size, options.depth);
  exchange.start(kWarmUpRounds);
  loop.await([&] { return exchange.done(); });
  const Meter meter;
  exchange.start(options.rounds);
  loop.await([&] { return exchange.done(); });
  Json line{{"peer", "ours"}, {"case", "pingpong"}, {"size", options.size},
            {"rounds", options.rounds}, {"depth", options.depth}};
  meter.add_to(line, options.rounds);
  line.update(percentiles_us(exchange.times()));
  print_line(line);
  loop.run_until_stdin_ends();
}

}  // namespace bench
