#include "transport/multistream/negotiation.hpp"

#include "base/assert.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/varint.hpp"

namespace p2pa::multistream {

namespace {

constexpr std::string_view kNotAvailable = "na";

void append_message(Bytes& out, std::string_view text) {
  append_varint(out, text.size() + 1);
  ByteWriter writer(out);
  writer.append(text);
  writer.u8('\n');
}

/// The message at the front of `bytes` with its newline; an empty view while bytes are missing.
Result<ByteView> parse_message(ByteView bytes) {
  ByteReader reader(bytes);
  const auto size = read_varint(reader);
  if (!size && size.error().code == Code::kTruncated) return ByteView{};
  if (!size || *size == 0) return fail(Code::kNegotiation, "multistream: not a message length");
  if (*size > kMessageBytesMax) {
    return fail(Code::kNegotiation, "multistream: message too long", kMessageBytesMax);
  }
  const auto message = reader.take(*size);
  if (!message) return ByteView{};
  if (message->back() != '\n') return fail(Code::kNegotiation, "multistream: no newline");
  return bytes.first(reader.position());
}

std::string_view text_of(ByteView message) {
  ByteReader reader(message);
  static_cast<void>(read_varint(reader));
  const std::string_view line = as_text(reader.rest());
  return line.substr(0, line.size() - 1);
}

}  // namespace

void Negotiation::propose(std::string_view protocol, Bytes& out) {
  P2PA_ASSERT(state_ == State::kIdle);
  P2PA_ASSERT(!protocol.empty() && protocol.size() < kMessageBytesMax);
  state_ = State::kAwaitingAnswer;
  initiator_ = true;
  protocol_ = protocol;
  append_message(out, kHeader);
  append_message(out, protocol);
}

void Negotiation::listen() {
  P2PA_ASSERT(state_ == State::kIdle);
  state_ = State::kAwaitingProposal;
}

Result<Negotiation::Progress> Negotiation::advance(ByteView in, const Known& known, Bytes& out) {
  P2PA_ASSERT(state_ == State::kAwaitingAnswer || state_ == State::kAwaitingProposal);
  ByteView rest = in;
  while (!rest.empty() && !agreed()) {
    const auto text = take_message(rest);
    Result<void> taken;
    if (!text) {
      taken = std::unexpected(text.error());
    } else if (text->data() != nullptr) {
      taken = on_message(*text, known, out);
      partial_.clear();
    }
    if (!taken) {
      state_ = State::kFailed;
      return std::unexpected(taken.error());
    }
  }
  if (agreed()) partial_.shrink_to_fit();
  return Progress{in.size() - rest.size(), agreed()};
}

Result<std::string_view> Negotiation::take_message(ByteView& in) {
  if (partial_.empty()) {
    const auto whole = parse_message(in);
    if (!whole) return std::unexpected(whole.error());
    if (!whole->empty()) {
      in = in.subspan(whole->size());
      return text_of(*whole);
    }
  }
  while (!in.empty()) {
    partial_.push_back(in.front());
    in = in.subspan(1);
    const auto whole = parse_message(partial_);
    if (!whole) return std::unexpected(whole.error());
    if (!whole->empty()) return text_of(*whole);
  }
  return std::string_view{};
}

Result<void> Negotiation::on_message(std::string_view text, const Known& known, Bytes& out) {
  if (header_seen_) return initiator_ ? on_answer(text) : on_proposal(text, known, out);
  if (text != kHeader) return fail(Code::kNegotiation, "multistream: another version");
  header_seen_ = true;
  if (!initiator_) append_message(out, kHeader);
  return {};
}

Result<void> Negotiation::on_answer(std::string_view text) {
  if (text == kNotAvailable) {
    return fail(Code::kProtocolUnsupported, "the peer does not speak the protocol");
  }
  if (text != protocol_) return fail(Code::kNegotiation, "multistream: answer to another proposal");
  state_ = State::kAgreed;
  return {};
}

Result<void> Negotiation::on_proposal(std::string_view text, const Known& known, Bytes& out) {
  if (known(text)) {
    protocol_ = text;
    state_ = State::kAgreed;
    append_message(out, text);
    return {};
  }
  if (proposals_ == kProposalsMax) {
    return fail(Code::kNegotiation, "multistream: too many proposals", kProposalsMax);
  }
  ++proposals_;
  append_message(out, kNotAvailable);
  return {};
}

}  // namespace p2pa::multistream
