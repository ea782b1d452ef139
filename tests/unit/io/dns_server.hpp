#pragma once
// A name server on the loopback, over UDP and TCP, that answers as it is told, or not at all. It works when
// serve() is called, and never waits.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "io/socket_address.hpp"
#include "support/dns_message.hpp"

namespace p2pa::io {

class DnsServer {
 public:
  static constexpr std::uint16_t kA = 1, kTxt = 16, kAaaa = 28;

  /// What is answered to a question over UDP, or over TCP; nothing: silence. The id is filled in.
  using Reply = std::function<std::optional<test::DnsMessage>(test::DnsMessage empty, bool tcp)>;

  DnsServer() {
    // The port that UDP has need not be free for TCP.
    for (int tries = 0; tries < 100 && !open(); ++tries) close_all();
    REQUIRE(tcp_ >= 0);
  }
  ~DnsServer() { close_all(); }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  IpEndpoint endpoint() const { return endpoint_; }
  /// In lower case, without a dot at the end.
  void set(const std::string& name, std::uint16_t type, Reply reply) {
    replies_[{name, type}] = std::move(reply);
  }
  void set_texts(const std::string& name, const std::vector<std::string>& texts) {
    set(name, kTxt, [texts](test::DnsMessage message, bool) {
      for (const std::string& text : texts) message.add_text(60, {text});
      return std::optional(message);
    });
  }
  void set_address(const std::string& name, const IpAddress& ip) {
    const Bytes data(ip.bytes.begin(), ip.bytes.begin() + (ip.v6 ? 16 : 4));
    set(name, ip.v6 ? kAaaa : kA, [data, v6 = ip.v6](test::DnsMessage message, bool) {
      message.add_record(v6 ? kAaaa : kA, 60, data);
      return std::optional(message);
    });
  }
  int asked() const { return asked_; }
  int asked_over_tcp() const { return asked_over_tcp_; }

  void serve() {
    serve_udp();
    for (int fd; (fd = ::accept4(tcp_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      connections_.push_back({fd, {}});
    }
    for (Connection& connection : connections_) serve_tcp(connection);
  }

 private:
  struct Connection {
    int fd;
    Bytes read;
  };

  bool open() {
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SocketAddress address;
    IpEndpoint local{IpAddress::parse("127.0.0.1").value(), 0, 0};
    socklen_t size = to_socket_address(local, address);
    if (::bind(udp_, &address.any, size) != 0 || ::getsockname(udp_, &address.any, &size) != 0) return false;
    endpoint_ = to_endpoint(address);
    return ::bind(tcp_, &address.any, size) == 0 && ::listen(tcp_, 16) == 0;
  }
  void close_all() {
    for (const Connection& connection : connections_) ::close(connection.fd);
    connections_.clear();
    for (int* fd : {&udp_, &tcp_}) {
      if (*fd >= 0) ::close(*fd);
      *fd = -1;
    }
  }

  void serve_udp() {
    Bytes buffer(4096);
    SocketAddress from;
    for (;;) {
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(udp_, buffer.data(), buffer.size(), 0, &from.any, &size);
      if (got < 0) return;
      const auto reply = reply_to(ByteView(buffer).first(static_cast<std::size_t>(got)), false);
      if (reply) ::sendto(udp_, reply->data(), reply->size(), 0, &from.any, size);
    }
  }
  void serve_tcp(Connection& connection) {
    std::uint8_t buffer[4096];
    for (ssize_t got; (got = ::recv(connection.fd, buffer, sizeof buffer, 0)) > 0;) {
      connection.read.insert(connection.read.end(), buffer, buffer + got);
    }
    if (connection.read.size() < 2) return;
    const std::size_t size = std::size_t{connection.read[0]} << 8 | connection.read[1];
    if (connection.read.size() < 2 + size) return;
    if (const auto reply = reply_to(ByteView(connection.read).subspan(2, size), true)) {
      Bytes framed{static_cast<std::uint8_t>(reply->size() >> 8), static_cast<std::uint8_t>(reply->size())};
      framed.insert(framed.end(), reply->begin(), reply->end());
      CHECK(::send(connection.fd, framed.data(), framed.size(), 0) == static_cast<ssize_t>(framed.size()));
    }
    connection.read.erase(connection.read.begin(), connection.read.begin() + 2 + static_cast<int>(size));
  }

  /// An answer that nothing is known for says that there is no such name.
  std::optional<Bytes> reply_to(ByteView query, bool tcp) {
    REQUIRE(query.size() > 12);
    ++(tcp ? asked_over_tcp_ : asked_);
    std::string name;
    std::size_t at = 12;
    for (std::size_t length; (length = query[at]) != 0; at += 1 + length) {
      if (!name.empty()) name += '.';
      name += as_text(query.subspan(at + 1, length));
    }
    const auto type = static_cast<std::uint16_t>(query[at + 1] << 8 | query[at + 2]);
    test::DnsMessage empty(name, type);
    empty.set_id(static_cast<std::uint16_t>(query[0] << 8 | query[1]));
    const auto found = replies_.find({name, type});
    if (found == replies_.end()) {
      empty.set_code(3);
      return empty.bytes();
    }
    const auto reply = found->second(std::move(empty), tcp);
    if (!reply) return std::nullopt;
    return reply->bytes();
  }

  int udp_ = -1, tcp_ = -1;
  IpEndpoint endpoint_;
  std::list<Connection> connections_;
  std::map<std::pair<std::string, std::uint16_t>, Reply> replies_;
  int asked_ = 0, asked_over_tcp_ = 0;
};

}  // namespace p2pa::io
