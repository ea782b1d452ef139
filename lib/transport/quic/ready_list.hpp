#pragma once
// Connections that may have something to send, in turn.

namespace p2pa::quic {

class Connection;

/// A queue linked through the connections themselves.
class ReadyList final {
 public:
  void push(Connection& connection);  ///< nothing when it is in already
  /// Takes the first out; null when there is none.
  Connection* pop();
  void remove(Connection& connection);

 private:
  Connection* head_ = nullptr;
  Connection* tail_ = nullptr;
};

}  // namespace p2pa::quic
