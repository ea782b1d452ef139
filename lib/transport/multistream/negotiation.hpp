#pragma once
// multistream-select 1.0 on one stream (spec: connections/README.md §multistream-select).

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::multistream {

inline constexpr std::string_view kHeader = "/multistream/1.0.0";
/// A message with its newline; go and js refuse more than 1,024.
inline constexpr std::size_t kMessageBytesMax = 1024;
/// Proposals that a responder answers with `na` before it gives up.
inline constexpr int kProposalsMax = 32;

/// Either end of one negotiation. Lazy as an initiator: header and proposal go out with the first
/// bytes of the protocol, the answer is read when it comes. Tolerant as a responder: payload may be
/// glued to the proposal. A pure machine: bytes in, bytes out.
class Negotiation {
 public:
  enum class State : std::uint8_t { kIdle, kAwaitingAnswer, kAwaitingProposal, kAgreed, kFailed };
  /// Is this protocol id served here?
  using Known = std::function<bool(std::string_view)>;

  /// Becomes the initiator; the bytes to send first are appended to `out`.
  /// REQUIRES state() is kIdle and 1 <= protocol.size() < kMessageBytesMax.
  void propose(std::string_view protocol, Bytes& out);
  /// Becomes the responder. REQUIRES state() is kIdle.
  void listen();

  struct Progress {
    std::size_t consumed = 0;  ///< of `in`; what follows belongs to the protocol
    bool finished = false;     ///< state() is kAgreed now
  };
  /// Takes what has arrived, in pieces of any size: the start of a message is kept until its rest
  /// comes. Bytes to answer are appended to `out`. kNegotiation: not multistream, too long, too many
  /// proposals. kProtocolUnsupported: the responder said `na`. After an error state() is kFailed.
  /// `known` is used by a responder only.
  Result<Progress> advance(ByteView in, const Known& known, Bytes& out);

  State state() const { return state_; }
  bool agreed() const { return state_ == State::kAgreed; }
  /// As a responder: was a proposal answered with `na`?
  bool refused() const { return !initiator_ && proposals_ > 0; }
  bool initiator() const { return initiator_; }
  /// Initiator: what was proposed. Responder: what was agreed, empty before.
  std::string_view protocol() const { return protocol_; }

 private:
  /// Takes one message's bytes from the front of `in`; the text without its newline, or empty when
  /// the message is not complete yet.
  Result<std::string_view> take_message(ByteView& in);
  Result<void> on_message(std::string_view text, const Known& known, Bytes& out);
  Result<void> on_answer(std::string_view text);
  Result<void> on_proposal(std::string_view text, const Known& known, Bytes& out);

  State state_ = State::kIdle;
  bool initiator_ = false;
  bool header_seen_ = false;
  std::uint8_t proposals_ = 0;
  std::string protocol_;
  Bytes partial_;  // a message of which some bytes are missing, at most kMessageBytesMax + 2
};

}  // namespace p2pa::multistream
