#pragma once
// The socket calls of this test program pass through here: counted, and made to fail on request, for
// the calling thread.

#include <sys/socket.h>

#include <functional>

namespace p2pa::io {

struct SystemCalls {
  int sendmsg = 0, sendmmsg = 0, recvmsg = 0, recvmmsg = 0;
  int send = 0, recv = 0;
  /// Asked before each message leaves (also each of a sendmmsg); an errno, or 0 to let it pass.
  std::function<int(const msghdr&)> refuse_send;
  /// Asked before each call that reads from a UDP socket.
  std::function<int()> refuse_receive;
  bool without_mmsg = false;  ///< sendmmsg and recvmmsg answer ENOSYS
  /// Asked before each connect(), and before each accept4().
  std::function<int()> refuse_connect, refuse_accept;
};

SystemCalls& system_calls();

/// Does the message carry UDP_SEGMENT?
bool is_gso(const msghdr& message);
/// Does it name the address to leave from?
bool names_source(const msghdr& message);

/// A test's own counters and faults, gone when it ends.
class FreshSystemCalls {
 public:
  FreshSystemCalls() { system_calls() = {}; }
  ~FreshSystemCalls() { system_calls() = {}; }
};

}  // namespace p2pa::io
