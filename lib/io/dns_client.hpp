#pragma once
// Asks name servers, by c-ares.

#include <functional>
#include <list>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "dns/query.hpp"
#include "io/uv_loop.hpp"

struct ares_addrinfo;
struct ares_channeldata;

namespace p2pa::io {

/// Queries of a driver, over UDP, and over TCP where an answer is too long. The system's hosts file is asked
/// first, its search domains never. Everything runs in the driver's turn, and nothing in it blocks.
class DnsClient final {
 public:
  static constexpr Duration kTimeout = seconds(2);
  static constexpr int kTries = 2;
  /// What fits through every path in one piece (DNS flag day 2020).
  static constexpr int kUdpBytesMax = 1232;

  /// Hears each query's answer once, within work(), and must not call back.
  using OnAnswer = std::move_only_function<void(const dns::Answer&)>;

  struct Options {
    /// None: those of the system, which are read anew whenever a query comes while no other is under way,
    /// since hosts move between networks.
    std::vector<IpEndpoint> servers{};
    Duration timeout = kTimeout;  ///< of the first try of a server; the second waits twice as long
  };

  /// REQUIRES `loop` outlives it.
  DnsClient(UvLoop& loop, Options options, OnAnswer on_answer);
  ~DnsClient();
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  void query(const dns::Query& query, Instant now);

  // --- what the driver does each turn

  /// Reads and writes where the loop has found something, and hands over answers.
  void work(Instant now);
  bool has_work() const;
  void on_deadline(Instant now);
  Instant next_deadline() const { return deadline_; }

 private:
  struct Asked {
    DnsClient& client;
    dns::Answer answer;
    bool answered = false;
  };
  struct Socket {
    int fd;
    Watch* watch;
    bool readable, writable;  ///< what c-ares waits for
  };

  Result<void> open();
  void close();
  void set_deadline(Instant now);
  void process(const Socket& socket);
  void hand_over();

  // What c-ares calls, below a C frame.
  static void on_socket(void* self, int fd, int readable, int writable) noexcept;
  static void on_message(void* asked, int status, int timeouts, unsigned char* message, int size) noexcept;
  static void on_addresses(void* asked, int status, int timeouts, ares_addrinfo* found) noexcept;
  void watch(int fd, bool readable, bool writable);

  UvLoop& loop_;
  const Options options_;
  OnAnswer on_answer_;
  ares_channeldata* channel_ = nullptr;  ///< while queries are under way
  std::vector<Socket> sockets_;
  std::list<Asked> asked_;  ///< c-ares holds their addresses
  Instant deadline_ = kNever;
};

}  // namespace p2pa::io
