#pragma once
// The real driver: runs a NodeCore on UDP and TCP sockets, by libuv.

#include <atomic>
#include <memory>
#include <vector>

#include "io/append_files.hpp"
#include "io/dns_client.hpp"
#include "io/interface_watch.hpp"
#include "io/outbox.hpp"
#include "io/post_queue.hpp"
#include "io/receive_buffers.hpp"
#include "io/tcp_sockets.hpp"
#include "io/udp_socket.hpp"
#include "io/uv_loop.hpp"
#include "node/core.hpp"
#include "node/driver.hpp"

namespace p2pa::io {

struct DriverOptions {
  bool plain = false;  ///< one datagram a system call, even where the system can do better
  std::vector<IpEndpoint> dns_servers{};  ///< none: those of the system
  Duration dns_timeout = DnsClient::kTimeout;
};

/// A driver whose sockets are open: those that the core asked for until now.
/// Errors: kIo (detail: errno): no descriptors, or every socket that was asked for was refused.
/// REQUIRES `core` outlives it.
Result<std::unique_ptr<Driver>> make_uv_driver(NodeCore& core, const DriverOptions& options = {});

/// One loop for three embeddings: poll(), the descriptor with next_deadline(), and a thread differ
/// only in who waits. Every turn does a bounded amount of work, local work first. REQUIRES poll(),
/// next_deadline() and start_thread() come from one thread; now(), post() and stop_thread() may
/// come from any.
class UvDriver final : public Driver {
 public:
  UvDriver(NodeCore& core, const DriverOptions& options, std::unique_ptr<UvLoop> loop);
  ~UvDriver() override;
  UvDriver(const UvDriver&) = delete;
  UvDriver& operator=(const UvDriver&) = delete;

  /// Opens what the core asks for, before anything else runs.
  Result<void> open_sockets();

  Result<int> poll(Duration timeout, int budget) override;
  int wakeup_fd() const override { return loop_->fd(); }
  Instant next_deadline() const override;
  Instant now() const override { return UvLoop::now(); }
  Result<void> start_thread() override;
  void stop_thread() override;
  Result<void> post(std::move_only_function<void(Node&)> fn) override;
  void attach(Node& node) override { node_ = &node; }

 private:
  enum class Work { kNothing, kDone, kMore };
  struct Socket {
    std::unique_ptr<UdpSocket> udp;
    Watch* watch;
  };

  Work turn();
  void wait_for_input(Duration timeout);
  bool more_at_hand() const;

  void receive();
  bool receive_from(Socket& socket);
  bool receive_again();
  void handle(const SocketEvent& event);
  void handle(const dns::Answer& answer);
  bool perform_effects();
  bool perform(const Effect& effect, EffectDone& done);
  void answer(Result<IpEndpoint> bound, EffectDone& done);
  Result<IpEndpoint> bind(const Effect& effect);
  void close_socket(SocketId id);
  bool send();
  bool flush();
  bool write();
  Socket* find(SocketId id);
  void note_close();

  void run_thread();

  NodeCore& core_;
  Node* node_ = nullptr;
  const DriverOptions options_;
  std::unique_ptr<UvLoop> loop_;
  std::vector<Socket> sockets_;
  std::size_t segments_max_ = 1;
  std::size_t hot_ = 0;      ///< the socket that received last, by its place in sockets_
  bool hot_is_tcp_ = false;  ///< it was a TCP socket
  int guesses_ = 0;          ///< how often in a row input was taken for the hot socket's
  bool received_ = false;    ///< since the last turn
  ReceiveBuffers inbox_;
  Outbox outbox_;
  Watch* full_ = nullptr;  ///< the socket that the outbox waits for
  TcpSockets tcp_;
  InterfaceWatch interfaces_;
  DnsClient dns_;
  AppendFiles files_;
  Effect effect_{};  ///< used again, for its memory
  PostQueue posts_;
  bool core_has_more_ = false;
  bool in_turn_ = false;
  bool closed_ = false;
  Error bind_error_{Code::kOk, 0, ""};  ///< the first that failed

  uv_thread_t thread_{};
  std::atomic<uv_thread_t> runner_{};   ///< the thread's own name for itself, while it runs
  std::atomic<bool> threaded_ = false;  ///< from start_thread() until joined
  std::atomic<bool> stop_ = false;
};

}  // namespace p2pa::io
