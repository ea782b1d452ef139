#include "system_calls.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace p2pa::io {
namespace {

bool has_control(const msghdr& message, int level, int type) {
  auto& mutable_message = const_cast<msghdr&>(message);
  for (cmsghdr* header = CMSG_FIRSTHDR(&mutable_message); header != nullptr;
       header = CMSG_NXTHDR(&mutable_message, header)) {
    if (header->cmsg_level == level && header->cmsg_type == type) return true;
  }
  return false;
}

int refusal_of(const msghdr& message) {
  return system_calls().refuse_send ? system_calls().refuse_send(message) : 0;
}

bool refuse(int error) {
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace

SystemCalls& system_calls() {
  thread_local SystemCalls calls;
  return calls;
}

bool is_gso(const msghdr& message) { return has_control(message, IPPROTO_UDP, UDP_SEGMENT); }

bool names_source(const msghdr& message) {
  return has_control(message, IPPROTO_IP, IP_PKTINFO) ||
         has_control(message, IPPROTO_IPV6, IPV6_PKTINFO);
}

}  // namespace p2pa::io

using p2pa::io::system_calls;

extern "C" {

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  ++system_calls().sendmsg;
  if (p2pa::io::refuse(p2pa::io::refusal_of(*message))) return -1;
  return ::syscall(SYS_sendmsg, fd, message, flags);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  ++system_calls().sendmmsg;
  if (system_calls().without_mmsg && p2pa::io::refuse(ENOSYS)) return -1;
  unsigned sent = 0;
  for (; sent < count; ++sent) {  // as the kernel: up to the first that fails
    const int error = p2pa::io::refusal_of(messages[sent].msg_hdr);
    if (error != 0 && sent == 0 && p2pa::io::refuse(error)) return -1;
    if (error != 0) break;
  }
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, sent, flags));
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  ++system_calls().recvmsg;
  auto& refuse = system_calls().refuse_receive;
  if (refuse && p2pa::io::refuse(refuse())) return -1;
  return ::syscall(SYS_recvmsg, fd, message, flags);
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  ++system_calls().recvmmsg;
  if (system_calls().without_mmsg && p2pa::io::refuse(ENOSYS)) return -1;
  auto& refuse = system_calls().refuse_receive;
  if (refuse && p2pa::io::refuse(refuse())) return -1;
  return static_cast<int>(::syscall(SYS_recvmmsg, fd, messages, count, flags, timeout));
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  ++system_calls().send;
  return ::syscall(SYS_sendto, fd, bytes, size, flags, nullptr, 0);
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  ++system_calls().recv;
  return ::syscall(SYS_recvfrom, fd, bytes, size, flags, nullptr, nullptr);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  auto& refuse = system_calls().refuse_connect;
  if (refuse && p2pa::io::refuse(refuse())) return -1;
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  auto& refuse = system_calls().refuse_accept;
  if (refuse && p2pa::io::refuse(refuse())) return -1;
  return static_cast<int>(::syscall(SYS_accept4, fd, address, size, flags));
}

}  // extern "C"
