#pragma once
// 250 messages of 4 KB a second over a link of 100 ms there and back that loses packets, in the world: how
// long each is on its way, in virtual time.

#include <algorithm>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "p2pagents/node.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::fec_flow {

enum class Carrier : std::uint8_t {
  kPlain,      ///< a message channel without correction
  kCorrected,  ///< with it
  kStreams,    ///< requests without an answer, each on a stream: what is lost is sent again
  kSessionPlain,      ///< unreliable messages of a session over UDP, that are of no use after the deadline
  kSessionCorrected,  ///< the same with correction
};

struct Flow {
  double loss = 0, burst = 1;
  Carrier carrier = Carrier::kPlain;
  Duration length = seconds(40);
};

struct Outcome {
  std::vector<double> ways;      ///< of the messages that came, in round trips, sorted
  std::uint64_t sent = 0;        ///< messages
  std::uint64_t wire_bytes = 0;  ///< UDP payload from the sender while they were sent
  std::uint64_t head_bytes = 0;  ///< of them what channels put in front of pieces
  MessageChannelStats channel;
  bool intact = true;  ///< what came was what was sent

  double delivered() const { return static_cast<double>(ways.size()) / static_cast<double>(sent); }
  double quantile(double share) const {
    // Of all messages: one that never came is later than all that did.
    const auto at = static_cast<std::size_t>(share * static_cast<double>(sent));
    return at < ways.size() ? ways[at] : 1e9;
  }
  double longest() const { return ways.empty() ? 1e9 : ways.back(); }
};

inline constexpr Duration kRoundTrip = milliseconds(100), kInterval = milliseconds(4);
inline bool on_session(Carrier carrier) { return carrier >= Carrier::kSessionPlain; }

/// Not counted: congestion control finds the rate, and the sender learns the loss.
inline constexpr Duration kWarmUp = seconds(5);
inline constexpr std::size_t kMessageBytes = 4096;
/// The goal: 0.8 round trips.
inline constexpr Duration kDeadline = milliseconds(80);
/// Tag, head of the source packet, head of the piece (docs/wire/fec.md, docs/wire/messages.md).
inline constexpr std::uint64_t kHeadBytes = 4 + 5 + 2;

namespace detail {

inline Bytes message(std::uint64_t number) {
  Bytes out(kMessageBytes);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(i < 8 ? number >> (8 * i) : number * 131 + i * 7 + i / 256);
  }
  return out;
}

inline std::uint64_t number_of(ByteView message) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8 && i < message.size(); ++i) out |= std::uint64_t{message[i]} << (8 * i);
  return out;
}

struct Run {
  sim::World& world;
  const Flow& flow;
  sim::NodeId sender, receiver;
  PeerId to;
  MessageChannel* channel = nullptr;
  bool counting = false;
  std::uint64_t next = 0, first = 0;
  std::map<std::uint64_t, Instant> sent;
  Outcome out;

  void received(ByteView bytes) {
    const std::uint64_t number = number_of(bytes);
    const auto it = sent.find(number);
    if (it == sent.end()) return;
    if (!std::ranges::equal(bytes, message(number))) out.intact = false;
    if (number >= first && counting) out.ways.push_back((world.now() - it->second).seconds() / kRoundTrip.seconds());
    sent.erase(it);
  }

  void send() {
    const Bytes bytes = message(next);
    sent[next++] = world.now();
    if (flow.carrier == Carrier::kStreams) {
      world.node(sender).notify(to, "message", bytes);
    } else if (on_session(flow.carrier)) {
      SessionMessageOptions options;
      options.lifetime = kDeadline;
      options.correction = flow.carrier == Carrier::kSessionCorrected;
      static_cast<void>(world.node(sender).send_session_message(to, bytes, options));
    } else {
      static_cast<void>(channel->send(bytes));
    }
  }

  void send_for(Duration time) {
    const Instant end = world.now() + time;
    while (world.now() < end) {
      world.node(sender).post([this](Node&) { send(); }).value();
      world.run_for(kInterval);
    }
  }
};

}  // namespace detail

/// REQUIRES a fresh world.
inline Outcome run(sim::World& world, const Flow& flow) {
  sim::LinkOptions link;
  link.delay = kRoundTrip / 2;
  link.loss = flow.loss;
  link.loss_burst = flow.burst;
  NodeOptions listening, dialing;
  // With CUBIC no correction helps: it takes each loss for congestion and sends too little.
  listening.congestion_control = dialing.congestion_control = CongestionControl::kBbr;
  const std::string transport = on_session(flow.carrier) ? "p2pa-udp" : "quic-v1";
  listening.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4001/" + transport).value()};
  world.set_default_link(link);
  const sim::NodeId receiver = world.add_node(std::move(listening)), sender = world.add_node(std::move(dialing));

  detail::Run run{world, flow, sender, receiver, world.node(receiver).id(), nullptr, false, 0, 0, {}, {}};
  world.node(receiver).on_message([&](const PeerId&, ByteView bytes) { run.received(bytes); });
  world.node(receiver).on_session_message([&](const PeerId&, const SessionMessage& message) {
    run.received(message.bytes);
  });
  world.node(receiver).serve("message", [&](const PeerId&, ByteView bytes) {
    run.received(bytes);
    return std::expected<Bytes, ApplicationError>(Bytes{});
  }).value();
  world.on_datagram([&](const sim::Datagram& datagram) {
    if (run.counting && datagram.from == world.host(sender)) run.out.wire_bytes += datagram.bytes.size();
    return true;
  });
  const Multiaddr address = world.address(receiver);
  world.node(sender).add_address(run.to, address).value();
  if (on_session(flow.carrier)) {
    bool connected = false;
    world.node(sender).dial(address, [&](const Result<ConnectionInfo>& dialed) { connected = dialed.has_value(); });
    if (!world.run_until([&] { return connected; }, seconds(30))) return run.out;
  } else if (flow.carrier != Carrier::kStreams) {
    MessageChannelOptions channel;
    channel.deadline = kDeadline;
    if (flow.carrier == Carrier::kPlain) channel.repair_max = 0;
    world.node(sender).open_message_channel(run.to, channel, [&](Result<MessageChannel*> opened) {
      run.channel = opened.value_or(nullptr);
    });
    if (!world.run_until([&] { return run.channel != nullptr; }, seconds(30))) return run.out;
  }

  run.send_for(kWarmUp);
  const MessageChannelStats before = run.channel != nullptr ? run.channel->stats() : MessageChannelStats{};
  run.first = run.next;
  run.counting = true;
  run.send_for(flow.length);
  run.out.sent = run.next - run.first;
  const std::uint64_t bytes = run.out.wire_bytes;
  if (run.channel != nullptr) run.out.channel = run.channel->stats();
  run.out.head_bytes = (run.out.channel.packets - before.packets) * kHeadBytes;
  world.run_for(seconds(5));
  run.out.wire_bytes = bytes;
  std::ranges::sort(run.out.ways);
  // The functions above see `run`.
  world.node(receiver).on_message({});
  world.node(receiver).on_session_message({});
  world.node(receiver).stop_serving("message");
  world.on_datagram({});
  return std::move(run.out);
}

/// What correction costs: of the bytes on the wire, compared with pieces in datagrams, or messages of a session, as
/// they are.
inline double overhead(const Outcome& corrected, const Outcome& plain) {
  return static_cast<double>(corrected.wire_bytes) / static_cast<double>(plain.wire_bytes - plain.head_bytes) - 1;
}

}  // namespace p2pa::fec_flow
