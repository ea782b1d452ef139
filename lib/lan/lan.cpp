#include "lan/lan.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace p2pa::lan {
namespace {

Result<void> check_topic(std::string_view topic) {
  if (!topic.empty() && topic.size() <= kLanTopicBytesMax && is_utf8(topic)) return {};
  return fail(Code::kInvalidArgument, "a topic has 1 to 64 bytes of UTF-8");
}

Held copy(std::uint64_t number, const Message& message) {
  return {number, std::string(message.topic), Bytes(message.bytes.begin(), message.bytes.end())};
}

}  // namespace

Lan::Lan(const KeyPair& key, const LanOptions& options, const std::optional<PreSharedKey>& network_key, Rng& rng,
         Instant now, Admission admission, Deliver deliver)
    : now_(now),
      key_(key),
      network_(options.application, network_key),
      rng_(rng),
      admission_(std::move(admission)),
      deliver_(std::move(deliver)),
      sending_(kSendLimit, now),
      guard_(now),
      outbound_(options.port, options.broadcast) {
  rng_.fill(session_);
}

Result<void> Lan::join(std::string_view topic) {
  if (auto fine = check_topic(topic); !fine) return fine;
  if (topics_.contains(topic)) return {};
  if (topics_.size() == kLanTopicsMax) return fail(Code::kLimitMemory, "too many topics", kLanTopicsMax);
  topics_.emplace(topic);
  return {};
}

bool Lan::leave(std::string_view topic) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return false;
  topics_.erase(it);
  return true;
}

Result<void> Lan::send(Instant now, std::string_view topic, ByteView message) {
  now_ = now;
  if (auto fine = check_topic(topic); !fine) return fine;
  if (message.size() > kLanMessageBytesMax) {
    return fail(Code::kMessageTooLarge, "a message to the local network is one datagram", kLanMessageBytesMax);
  }
  if (outbound_.full()) return fail(Code::kWouldBlock, "too many messages wait", kOutboundMax);
  if (sending_.level(now) < 1) {
    return fail(Code::kRateLimited, "too many messages a second", kSendLimit.bytes_per_second);
  }
  sending_.take(1, now);
  recent_.sending(now, next_number_);
  Bytes datagram = begin(Kind::kMessage);
  append_message(datagram, key_, topic, message);
  network_.seal(datagram);
  outbound_.to_all(std::move(datagram));
  return {};
}

Bytes Lan::begin(Kind kind) {
  Bytes out;
  out.reserve(kPacketBytesMax);
  append_header(out, {kind, network_.id(), session_, next_number_++});
  return out;
}

// --- sockets

void Lan::set_own_socket(bool v6, SocketId socket) {
  (v6 ? own6_ : own4_) = socket;
  outbound_.set_socket(v6, socket);
}

bool Lan::has_socket(SocketId socket) const {
  return socket != 0 && (socket == group4_ || socket == group6_ || socket == own4_ || socket == own6_);
}

void Lan::close() {
  topics_.clear();
  suspects_.clear();
  outbound_.clear();
  inbox_.clear();
  group4_ = group6_ = 0;
  set_own_socket(false, 0);
  set_own_socket(true, 0);
}

// --- what comes

void Lan::handle(Instant now, const InboundDatagram& datagram) {
  now_ = now;
  const std::size_t size = datagram.segment_size == 0 ? datagram.bytes.size() : datagram.segment_size;
  for (ByteView rest = datagram.bytes; !rest.empty();) {
    const std::size_t n = std::min(size, rest.size());
    handle_one(now, datagram, rest.first(n));
    rest = rest.subspan(n);
  }
}

/// What costs least is looked at first.
void Lan::handle_one(Instant now, const InboundDatagram& datagram, ByteView bytes) {
  const auto header = decode_header(bytes);
  if (!header) return drop(LanCounters::kMalformed);
  if (header->network != network_.id()) return drop(LanCounters::kOtherNetwork);
  if (header->session == session_) return;  // our own: the system gives it back
  const bool asked = datagram.socket == own4_ || datagram.socket == own6_;
  // A question or an answer goes to one address, a message to the link.
  if (asked == (header->kind == Kind::kMessage)) return drop(LanCounters::kOffLink);
  if (!asked && !outbound_.to_link(datagram.local.ip)) return drop(LanCounters::kOffLink);
  if (!outbound_.on_link(datagram.remote.ip)) return drop(LanCounters::kOffLink);
  if (!admission_({}, datagram.remote.ip)) return drop(LanCounters::kGated);
  const auto body = network_.open(*header, bytes, scratch_);
  if (!body) return drop(LanCounters::kMalformed);
  const Packet packet{*header, bytes, *body, datagram.remote, asked};
  switch (header->kind) {
    case Kind::kMessage: return on_message(now, packet);
    case Kind::kChallenge: return on_challenge(now, packet);
    case Kind::kProof: return on_proof(now, packet);
  }
}

bool Lan::verified(Instant now, const Packet& packet, const Signed& by) {
  if (!guard_.may_verify(now, packet.from.ip)) return drop(LanCounters::kRateLimited), false;
  if (!verify(packet.header, packet.body, by)) return drop(LanCounters::kBadSignature), false;
  return true;
}

void Lan::on_message(Instant now, const Packet& packet) {
  const auto message = decode_message(packet.body);
  if (!message) return drop(LanCounters::kMalformed);
  if (!topics_.contains(message->topic)) return drop(LanCounters::kNotJoined);
  const PeerId peer = PeerId::from_public_key(message->by.key);
  if (peer == key_.peer_id()) return;
  if (!admission_(peer, packet.from.ip)) return drop(LanCounters::kGated);
  const std::uint64_t number = packet.header.number;
  switch (senders_.standing(peer, packet.header.session, number)) {
    case Senders::Standing::kUnknown: return suspect(now, packet, peer, *message);
    case Senders::Standing::kSeen: return drop(LanCounters::kDuplicate);
    case Senders::Standing::kStale: return drop(LanCounters::kStale);
    case Senders::Standing::kFresh: break;
  }
  if (!verified(now, packet, message->by)) return;
  senders_.mark(now, peer, number);
  deliver_later(peer, copy(number, *message));
}

/// Whose number and session mean nothing yet: what was recorded long ago looks just the same.
void Lan::suspect(Instant now, const Packet& packet, const PeerId& peer, const Message& message) {
  Suspect* known = suspects_.find(peer, packet.header.session);
  if (known != nullptr && known->holds(packet.header.number)) return drop(LanCounters::kDuplicate);
  if (!verified(now, packet, message.by)) return;
  if (known == nullptr) {
    Suspect fresh{peer, packet.header.session, {}, packet.from, now, now + kChallengeInterval};
    rng_.fill(fresh.nonce);
    known = suspects_.add(std::move(fresh));
    if (known == nullptr) return drop(LanCounters::kFull);
    challenge(*known);
  } else if (known->at != packet.from) {
    // Who was asked first may be one that replays; whoever is the sender answers.
    known->at = packet.from;
    challenge(*known);
  }
  if (known->held.size() == kHeldMax) {
    drop(LanCounters::kFull);
    known->held.erase(known->held.begin());
  }
  known->held.push_back(copy(packet.header.number, message));
}

void Lan::challenge(const Suspect& suspect) {
  if (!guard_.may_ask(now_, suspect.at.ip)) return;  // it is due again soon
  Bytes datagram = begin(Kind::kChallenge);
  // As long as any answer may be: who answers sends no more than was sent to it.
  append_challenge(datagram, {suspect.session, suspect.nonce}, kPacketBytesMax - kHeaderBytes - network_.seal_bytes());
  network_.seal(datagram);
  outbound_.to_one(suspect.at, std::move(datagram));
}

void Lan::on_challenge(Instant now, const Packet& packet) {
  const auto challenge = decode_challenge(packet.body);
  if (!challenge || packet.datagram.size() != kPacketBytesMax) return drop(LanCounters::kMalformed);
  if (challenge->session != session_) return drop(LanCounters::kUnproven);
  if (!guard_.may_answer(now, packet.from.ip)) return drop(LanCounters::kRateLimited);
  Bytes datagram = begin(Kind::kProof);
  append_proof(datagram, key_, challenge->nonce, recent_.oldest(now));
  network_.seal(datagram);
  outbound_.to_one(packet.from, std::move(datagram));
}

void Lan::on_proof(Instant now, const Packet& packet) {
  const auto proof = decode_proof(packet.body);
  if (!proof) return drop(LanCounters::kMalformed);
  Suspect* const found = suspects_.find(packet.header.session, proof->nonce);
  if (found == nullptr || PeerId::from_public_key(proof->by.key) != found->peer) return drop(LanCounters::kUnproven);
  if (!verified(now, packet, proof->by)) return;
  const Suspect suspect = std::move(*found);
  suspects_.remove(*found);
  if (!senders_.prove(now, suspect.peer, suspect.session, proof->oldest)) {
    return drop(LanCounters::kFull, suspect.held.size());
  }
  // An answer whose address is made up proves nothing of that address.
  if (packet.from.ip == suspect.at.ip) guard_.proven(now, packet.from.ip);
  for (const Held& held : suspect.held) {
    if (senders_.standing(suspect.peer, suspect.session, held.number) != Senders::Standing::kFresh) {
      drop(LanCounters::kStale);
      continue;
    }
    senders_.mark(now, suspect.peer, held.number);
    deliver_later(suspect.peer, held);
  }
}

Instant Lan::next_deadline() const {
  const Instant sending = ready_ && !outbound_.empty() ? now_ : kNever;
  return std::min(sending, suspects_.next_deadline());
}

void Lan::on_deadline(Instant now) {
  now_ = now;
  drop(LanCounters::kUnproven, suspects_.expire(now));
  while (const Suspect* again = suspects_.due(now)) challenge(*again);
}

void Lan::deliver_later(const PeerId& from, Held message) {
  if (inbox_.size() == kInboxMax) return drop(LanCounters::kFull);
  inbox_.push_back({from, std::move(message)});
}

void Lan::turn() {
  for (std::size_t i = inbox_.size(); i > 0 && !inbox_.empty(); --i) {
    const Inbound next = std::move(inbox_.front());
    inbox_.pop_front();
    // It may have been left since.
    if (topics_.contains(next.message.topic)) deliver_({next.from, next.message.topic, next.message.bytes});
  }
}

}  // namespace p2pa::lan
