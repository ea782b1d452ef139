#pragma once
// The port between a core and whoever runs it, both directions.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "address/interface_address.hpp"
#include "address/ip_endpoint.hpp"
#include "dns/query.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"
#include "transport/transport.hpp"

namespace p2pa {

class Node;

/// What the core asks of the world outside. Each carries an id that its EffectDone repeats, except
/// those that need no answer.
struct Effect {
  enum class Kind : std::uint8_t {
    kBindUdp,         ///< socket, local (port 0: any); answered by socket bound or error
    kCloseUdp,        ///< socket; no answer
    kJoinGroup,       ///< socket, remote: hears this multicast group on every interface that takes part in any,
                      ///< also when it does already on some; no answer
    kListenTcp,       ///< socket, local (port 0: any); answered by what was bound or error
    kCloseListener,   ///< socket; no answer
    kConnectTcp,      ///< socket, remote; answered by a SocketEvent
    kFinishTcp,       ///< socket: ends our direction after what was written. The driver waits for the
                      ///< peer's end for a while, drops what comes, and says nothing more of it
    kAbortTcp,        ///< socket: resets it, at once; nothing more is said of it
    kListInterfaces,  ///< answered by `addresses`
    kAppendFile,      ///< path, bytes (qlog); no answer
    kReadFile,        ///< path; answered by `bytes`, all of a regular file of at most kReadFileMax, or error
    kQueryDns,        ///< query; answered by a dns::Answer, which has the query's id
  };
  Kind kind;
  std::uint64_t id = 0;
  SocketId socket = 0;
  IpEndpoint local, remote;
  bool lan = false;  ///< kBindUdp: speaks to all hosts of a link, and shares its port when that is not 0
  std::string path;
  Bytes bytes;
  dns::Query query;
};

inline constexpr std::size_t kReadFileMax = 1 << 20;

struct EffectDone {
  std::uint64_t id = 0;
  Result<void> result{};
  IpEndpoint local;                    ///< kBindUdp, kListenTcp: what was bound
  std::vector<InterfaceAddress> addresses{};  ///< kListInterfaces: unicast addresses of interfaces that are up
  Bytes bytes{};                              ///< kReadFile
};

/// The running side of a Node, implemented by io/. The world drives its nodes itself and has none.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual Result<int> poll(Duration timeout, int budget) = 0;
  virtual int wakeup_fd() const = 0;
  virtual Instant next_deadline() const = 0;
  virtual Instant now() const = 0;
  virtual Result<void> start_thread() = 0;
  virtual void stop_thread() = 0;
  /// Any thread. Runs fn in the node's turn.
  virtual Result<void> post(std::move_only_function<void(Node&)> fn) = 0;
  /// Told once by Node's constructor.
  virtual void attach(Node& node) = 0;
};

}  // namespace p2pa
