#pragma once
// One function a subcommand. Each returns the exit code of the process.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace p2pa_tool {

/// Exit codes, documented in `p2pa --help`.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,       ///< the operation did not succeed
  kUsage = 2,        ///< wrong arguments
  kUnreachable = 3,  ///< the peer could not be reached, or another one answers there
  kApplication = 4,  ///< the called method answered with an error of its own
  kTimedOut = 5,
  kInterrupted = 130,  ///< by SIGINT or SIGTERM, before it was done
};

struct IdOptions {
  std::string key_file;
  bool json = false;
};
/// How the peers are reached: what every command that talks to one takes.
struct NetworkOptions {
  std::string proxy;             ///< URL
  std::string network_key_file;  ///< of a private network
  std::optional<std::string> web_roots_file;
  std::vector<std::string> dns_servers;
};
struct NodeCommandOptions {
  NetworkOptions network;
  std::string key_file;
  std::vector<std::string> listen;
  std::vector<std::string> connect;
  std::vector<std::string> keep;
  std::string qlog;
  std::string web_certificate_file, web_key_file;
  bool perf = false;
  bool json = false;
};
struct PingOptions {
  NetworkOptions network;
  std::string address;
  int count = 5;
  int interval_ms = 1000;
  bool json = false;
};
struct DialCommandOptions {
  NetworkOptions network;
  std::string address;
  bool explain = false;
  bool json = false;
};
/// What `call --timeout` takes: the shortest and the longest deadline that travels with a call
/// (docs/wire/rpc.md).
inline constexpr double kTimeoutSecondsMin = 0.001, kTimeoutSecondsMax = 86'400;

struct CallCommandOptions {
  NetworkOptions network;
  std::string address, method, data;
  double timeout_s = 30;
};
struct PerfOptions {
  NetworkOptions network;
  std::string address;
  std::uint64_t upload = 1u << 30, download = 1u << 30;
  bool json = false;
};
struct LanCommandOptions {
  std::string topic;
  std::optional<std::string> message;  ///< none: listens
  std::string key_file, network_key_file, application;
  std::uint16_t port = 0;  ///< 0: the default one
  bool broadcast = false;
  bool json = false;
};
struct DemoOptions {
  std::string folder;
  int agents = 12;
  int kill = 2;
  int liars = 0;
  std::string role;       ///< how the demo's own processes are told what they are
  std::string directory;  ///< their one bootstrap address
};

int run_id(const IdOptions& options);
int run_node(const NodeCommandOptions& options);
int run_dial(const DialCommandOptions& options);
int run_ping(const PingOptions& options);
int run_call(const CallCommandOptions& options);
int run_perf(const PerfOptions& options);
int run_lan(const LanCommandOptions& options);
int run_demo(const DemoOptions& options);

}  // namespace p2pa_tool
