#include "transport/quic/ready_list.hpp"

#include "transport/quic/connection.hpp"

namespace p2pa::quic {

void ReadyList::push(Connection& connection) {
  if (connection.ready_) return;
  connection.ready_ = true;
  connection.next_ready_ = nullptr;
  (tail_ == nullptr ? head_ : tail_->next_ready_) = &connection;
  tail_ = &connection;
}

Connection* ReadyList::pop() {
  Connection* first = head_;
  if (first != nullptr) remove(*first);
  return first;
}

void ReadyList::remove(Connection& connection) {
  if (!connection.ready_) return;
  Connection* before = nullptr;
  for (Connection* c = head_; c != &connection; c = c->next_ready_) before = c;
  (before == nullptr ? head_ : before->next_ready_) = connection.next_ready_;
  if (tail_ == &connection) tail_ = before;
  connection.ready_ = false;
}

}  // namespace p2pa::quic
