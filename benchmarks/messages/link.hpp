#pragma once
// Two ends on loopback and what carries messages from one to the other; both run in the caller's thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace bench {

enum class Kind : std::uint8_t { kOrdered, kUnreliable };

using Receiver = std::function<void(std::span<const std::uint8_t>)>;

class Link {
 public:
  virtual ~Link() = default;
  /// False: not now.
  virtual bool send(Kind kind, std::span<const std::uint8_t> message) = 0;
  /// Lets both ends do what there is to do; does not wait.
  virtual void turn() = 0;
};

/// Connected. What goes wrong ends the program.
std::unique_ptr<Link> make_session_link(Receiver receiver);
std::unique_ptr<Link> make_enet_link(Receiver receiver);

[[noreturn]] void die(const char* why);

}  // namespace bench
