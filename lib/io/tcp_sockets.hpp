#pragma once
// All TCP sockets of a driver.

#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/timer_queue.hpp"
#include "io/tcp_listener.hpp"
#include "io/tcp_socket.hpp"
#include "io/uv_loop.hpp"
#include "transport/transport.hpp"

namespace p2pa::io {

/// Accepts, connects, reads and writes for the core that gave the sockets their numbers (or learns them,
/// of accepted ones), and closes them in order when the core has done with them. Everything runs in the
/// driver's turn, a bounded amount each; sockets take turns.
class TcpSockets final {
 public:
  /// What one read brings, and so one socket in one turn.
  static constexpr std::size_t kReadBytesMax = 256 * 1024;
  /// What NodeCore::poll_write() must be lent, and the most that waits for a socket that is full.
  static constexpr std::size_t kWriteBytesMax = 65'536;
  /// Sockets that are looked at in one turn, and connections that one listener accepts.
  static constexpr std::size_t kServedPerTurnMax = 64;
  static constexpr int kAcceptsPerTurnMax = 16;
  /// Out of descriptors: whoever waits is looked at again after this.
  static constexpr Duration kAcceptPause = milliseconds(100);
  /// How long a socket that the core finished waits for its peer, without progress; and how many do.
  static constexpr Duration kLingerTime = seconds(5);
  static constexpr std::size_t kLingeringMax = 256;

  /// Hears what happened to the sockets, and must not call back.
  using OnEvent = std::move_only_function<void(const SocketEvent&)>;

  /// REQUIRES `loop` outlives it.
  TcpSockets(UvLoop& loop, OnEvent on_event);
  ~TcpSockets();
  TcpSockets(const TcpSockets&) = delete;
  TcpSockets& operator=(const TcpSockets&) = delete;

  // --- what the core asks for (Effect::Kind says what each does)

  /// What was bound. Errors: kIo (detail: errno).
  Result<IpEndpoint> listen(SocketId id, const IpEndpoint& local);
  void close_listener(SocketId id);
  /// Answered by kConnected or kLost, which may come before it returns. REQUIRES `id` is not in use, and
  /// below kAcceptedSockets.
  void connect(SocketId id, const IpEndpoint& remote);
  void finish(SocketId id, Instant now);
  void reset(SocketId id);

  /// Room for the next write. REQUIRES no read comes between.
  MutableBytes space() { return {buffer_.get(), kWriteBytesMax}; }
  /// Answered by kWritten, before it returns when the system takes all of it, or by kLost.
  /// REQUIRES `id` is connected, and the write before this one was answered; or is gone.
  void write(SocketId id, ByteView bytes);

  // --- what the driver does each turn

  /// Accepts, reads, and goes on with writes, where the loop has found something.
  void work(Instant now);
  /// Is there more for work() to do, without asking the loop?
  bool has_work() const;
  /// Looks whether the socket that received last has more, without asking the loop. False: it has not.
  bool receive_again();

  /// Ends waits that are over.
  void on_deadline(Instant now);
  Instant next_deadline() const;

  bool listens() const { return !listeners_.empty(); }

 private:
  struct Socket;
  using Sockets = std::list<Socket>;
  struct Listener {
    std::unique_ptr<TcpListener> tcp;
    Watch* watch;
    Instant resumes = kNever;  ///< paused until then
  };

  void accept_from(Listener& listener, Instant now);
  void pause(Listener& listener, Instant now);
  SocketId next_accepted();

  Result<Socket*> add(SocketId id, std::unique_ptr<TcpSocket> tcp);
  Socket* find(SocketId id);
  void close(Socket& socket);
  void lose(Socket& socket, Error why);
  void tell(SocketEvent::Kind kind, const Socket& socket);

  void serve(Socket& socket, Instant now);
  void mark_ready(Socket& socket);
  void finish_connecting(Socket& socket);
  bool read(Socket& socket);
  void note_end(Socket& socket);
  /// False: the socket is gone.
  bool write_more(Socket& socket, Instant now);
  void note_broken(Socket& socket, const Error& why);
  void watch_for(Socket& socket);

  void linger(Socket& socket, Instant now);
  void send_end(Socket& socket);

  UvLoop& loop_;
  OnEvent on_event_;
  std::vector<Listener> listeners_;
  Sockets idle_, ready_;  ///< between the two a socket moves, and never in memory
  std::unordered_map<SocketId, Socket*> known_;  ///< to the core; the others linger
  TimerQueue<Socket*> lingering_;
  Socket* last_ = nullptr;  ///< received last
  SocketId next_accepted_ = kAcceptedSockets;
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}  // namespace p2pa::io
