#pragma once
// The streams of one connection, as ngtcp2 carries them.

#include "transport/mux/engine.hpp"

struct ngtcp2_conn;

namespace p2pa::quic {

class Connection;
struct Shared;

class StreamEngine final : public mux::Engine {
 public:
  static constexpr std::uint32_t kCreditLentMax = 1024;

  StreamEngine(Shared& shared, Connection& owner) : shared_(shared), owner_(owner) {}

  /// REQUIRES that it is one before anything else is called, and while anything is.
  void attach(ngtcp2_conn* engine) { engine_ = engine; }

  Result<void> open(mux::StreamState& stream) override;
  void give_credit(mux::StreamState& stream, std::size_t n) override;
  void stop(mux::StreamState& stream, std::uint64_t code) override;
  void reset(mux::StreamState& stream, std::uint64_t code) override;
  void forget_inbound() override;
  void wake() override;

  /// Lets the peer open one stream more, and one less later; kCreditLentMax at a time.
  void lend_credit();

 private:
  Shared& shared_;
  Connection& owner_;
  ngtcp2_conn* engine_ = nullptr;
  std::uint32_t credit_lent_ = 0;
};

}  // namespace p2pa::quic
