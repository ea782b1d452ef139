#pragma once
// Connections that may have something to send, in turn.

namespace p2pa::mux {

/// A link of the list, in each connection.
template <class Connection>
struct ReadyLink {
  bool ready = false;  ///< in the list
  Connection* next = nullptr;
};

/// A queue linked through the connections themselves, by their member ready_.
template <class Connection>
class ReadyList final {
 public:
  /// Nothing when it is in already.
  void push(Connection& connection) {
    ReadyLink<Connection>& link = connection.ready_;
    if (link.ready) return;
    link = {true, nullptr};
    (tail_ == nullptr ? head_ : tail_->ready_.next) = &connection;
    tail_ = &connection;
  }

  /// Takes the first out; null when there is none.
  Connection* pop() {
    Connection* first = head_;
    if (first != nullptr) remove(*first);
    return first;
  }

  void remove(Connection& connection) {
    if (!connection.ready_.ready) return;
    Connection* before = nullptr;
    for (Connection* c = head_; c != &connection; c = c->ready_.next) before = c;
    (before == nullptr ? head_ : before->ready_.next) = connection.ready_.next;
    if (tail_ == &connection) tail_ = before;
    connection.ready_.ready = false;
  }

  bool empty() const { return head_ == nullptr; }

 private:
  Connection* head_ = nullptr;
  Connection* tail_ = nullptr;
};

}  // namespace p2pa::mux
