#pragma once
// The nodes of the benchmarks: defaults, but for limits that would be in the way.

#include <memory>
#include <string>

#include "loop.hpp"
#include "options.hpp"
#include "p2pagents/node.hpp"

namespace bench {

inline constexpr const char* kEchoProtocol = "/p2pagents/bench/echo/1.0.0";
inline constexpr const char* kUploadProtocol = "/p2pagents/bench/upload/1.0.0";
inline constexpr const char* kEchoMethod = "echo";      ///< unary: the request
inline constexpr const char* kRelayMethod = "messages"; ///< two-way: each message
inline constexpr const char* kMoreMethod = "more";      ///< unary: u32 count; that many listening nodes

enum class Listen { kNowhere, kLoopback, kEverywhere };

/// For all nodes of this process: over what they listen, and what secures it.
void choose_transport(const Options& options);
std::unique_ptr<p2pa::Node> open_node(Listen listen);
/// Serves what the cases need, kMoreMethod aside.
void serve(p2pa::Node& node);
/// The node's address, once it listens.
std::string await_address(Loop& loop, const p2pa::Node& node);
/// The same, but not loopback's.
std::string await_outside_address(Loop& loop, const p2pa::Node& node);

/// Dials, and waits until that has worked.
p2pa::ConnectionInfo dial(Loop& loop, p2pa::Node& node, const std::string& address);
/// Closes the node and lets the last packets out.
void close_node(Loop& loop, p2pa::Node& node);

}  // namespace bench
