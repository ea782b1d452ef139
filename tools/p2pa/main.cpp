#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <system_error>

#include "output.hpp"
#include "p2pagents/version.hpp"
#include "session.hpp"

namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "    0  done\n"
    "    1  failed\n"
    "    2  wrong usage\n"
    "    3  the peer could not be reached, or another one answers there\n"
    "    4  the method answered with an error of its own\n"
    "    5  timed out\n"
    "  130  interrupted";
constexpr const char* kAddress = "multiaddr; with /p2p/<id> at its end only that peer will do";

/// A subcommand with its own examples; `-h` shows the exit codes too.
CLI::App* command(CLI::App& app, const char* name, const char* what, const std::string& examples) {
  auto* added = app.add_subcommand(name, what);
  added->fallthrough();  // --verbose may stand anywhere
  added->footer(examples + "\n\n" + kExitCodes);
  return added;
}

/// How the peers are reached, on a command that talks to one.
void add_network(CLI::App& command, p2pa_tool::NetworkOptions& network) {
  command
      .add_option("--proxy", network.proxy,
                  "dial through http://host:port or socks5://user:password@host:port; also from P2PA_PROXY, which "
                  "others do not see in a list of processes")
      ->envname("P2PA_PROXY");
  command.add_option("--network-key", network.network_key_file, "key file of a private network (swarm.key)")
      ->check(CLI::ExistingFile);
  command.add_option("--web-roots", network.web_roots_file, "PEM file of whom /tls/ws addresses believe (the system's)")
      ->check(CLI::ExistingFile);
  command.add_option("--dns-server", network.dns_servers, "who resolves names, an IP address (the system's)");
}

std::string failure(const CLI::App*, const CLI::Error& error) {
  return fmt::format("p2pa: {}\nhint: p2pa --help, or p2pa <command> --help\n", error.what());
}

}  // namespace

namespace p2pa_tool {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"p2pa: talk to agents and libp2p nodes by their keys", "p2pa"};
  app.set_version_flag("--version", "p2pa " P2PA_VERSION_TEXT);
  int verbosity = 0;
  app.add_flag("-v,--verbose", verbosity, "say on standard error what goes on and what failed; -vv: everything");
  app.require_subcommand(1);
  app.failure_message(failure);
  app.footer(
      std::string("Examples:\n"
                  "  p2pa node --key me.key --listen /ip4/0.0.0.0/udp/4001/quic-v1\n"
                  "  p2pa ping /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...\n"
                  "  p2pa call /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW... echo hello\n"
                  "  p2pa demo\n\n") +
      kExitCodes);

  IdOptions id;
  auto* id_command = command(app, "id", "print the PeerId of a key file, made when missing",
                             "Example:\n  p2pa id --key me.key");
  id_command->add_option("--key", id.key_file, "key file (mode 0600)")->required();
  id_command->add_flag("--json", id.json, "print JSON");

  NodeCommandOptions node;
  auto* node_command = command(app, "node", "run a node until SIGINT or SIGTERM",
                               "Serves the method `echo`; prints what happens, one event a line.\n\n"
                               "Examples:\n"
                               "  p2pa node --key me.key --listen /ip4/0.0.0.0/udp/4001/quic-v1\n"
                               "  p2pa node --perf --json");
  node_command->add_option("--key", node.key_file, "key file, made when missing; without one a fresh identity");
  node_command->add_option("--listen", node.listen, "address to listen on, repeatable")
      ->default_val(std::vector<std::string>{"/ip4/0.0.0.0/udp/0/quic-v1"});
  node_command->add_option("--connect", node.connect, "address to connect to, repeatable");
  node_command->add_option("--keep", node.keep, "address of a peer to stay connected to, repeatable");
  node_command->add_option("--qlog", node.qlog, "write qlog files into this folder")
      ->check(CLI::ExistingDirectory);
  auto* certificate = node_command->add_option("--web-certificate", node.web_certificate_file,
                                               "PEM file of the certificate chain, for /tls/ws addresses");
  auto* web_key = node_command->add_option("--web-key", node.web_key_file, "PEM file of its private key");
  certificate->check(CLI::ExistingFile)->needs(web_key);
  web_key->check(CLI::ExistingFile)->needs(certificate);
  add_network(*node_command, node.network);
  node_command->add_flag("--perf", node.perf, "answer /perf/1.0.0");
  node_command->add_flag("--json", node.json, "print events as JSON lines");

  DialCommandOptions dial;
  auto* dial_command = command(app, "dial", "connect to a peer, and say how",
                               "Examples:\n"
                               "  p2pa dial /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...\n"
                               "  p2pa dial --explain /ip4/192.0.2.1/tcp/4001");
  dial_command->add_option("address", dial.address, kAddress)->required();
  add_network(*dial_command, dial.network);
  dial_command->add_flag("--explain", dial.explain, "say of each address what became of it, and when");
  dial_command->add_flag("--json", dial.json, "print JSON lines");

  PingOptions ping;
  auto* ping_command = command(app, "ping", "measure the round trip to a peer",
                               "Example:\n  p2pa ping -n 3 /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...");
  ping_command->add_option("address", ping.address, kAddress)->required();
  ping_command->add_option("-n,--count", ping.count, "how many, 0: until stopped")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  ping_command->add_option("--interval", ping.interval_ms, "milliseconds between two")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_network(*ping_command, ping.network);
  ping_command->add_flag("--json", ping.json, "print JSON lines");

  CallCommandOptions call;
  auto* call_command =
      command(app, "call", "call a method of a peer, print its answer",
              "Examples:\n"
              "  p2pa call /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW... echo hello\n"
              "  p2pa call /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW... echo - < request > answer");
  call_command->add_option("address", call.address, kAddress)->required();
  call_command->add_option("method", call.method, "name of the method")->required();
  call_command->add_option("data", call.data, "request bytes; `-` reads standard input");
  // Not CLI::Range, which lets nan pass.
  const CLI::Validator timeout(
      [](const std::string& text) {
        double seconds = 0;
        const bool good = CLI::detail::lexical_cast(text, seconds) && seconds >= kTimeoutSecondsMin &&
                          seconds <= kTimeoutSecondsMax;
        return good ? std::string()
                    : fmt::format("not {} to {} seconds: {}", kTimeoutSecondsMin, kTimeoutSecondsMax, text);
      },
      "");
  call_command->add_option("--timeout", call.timeout_s, "seconds, for connecting and the answer together")
      ->check(timeout)
      ->capture_default_str();
  add_network(*call_command, call.network);

  PerfOptions perf;
  auto* perf_command = command(app, "perf", "measure throughput to a peer (/perf/1.0.0)",
                               "The peer is `p2pa node --perf`, or any libp2p node that serves /perf/1.0.0.\n\n"
                               "Example:\n"
                               "  p2pa perf --upload 100MiB /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...");
  const CLI::AsSizeValue size(true);  // kB is 1000, KiB is 1024
  const CLI::Validator not_negative(
      [](const std::string& text) { return text.starts_with('-') ? "not a size: " + text : std::string(); }, "");
  perf_command->add_option("address", perf.address, kAddress)->required();
  for (const auto& [name, value, what] : {std::tuple("--upload", &perf.upload, "bytes to send"),
                                          std::tuple("--download", &perf.download, "bytes to receive")}) {
    // What is added last runs first.
    perf_command->add_option(name, *value, what)->transform(size)->transform(not_negative)->capture_default_str();
  }
  add_network(*perf_command, perf.network);
  perf_command->add_flag("--json", perf.json, "print JSON");

  LanCommandOptions lan;
  auto* lan_command = command(app, "lan", "hear, or say, signed messages on the local network",
                              "Without a message it listens until SIGINT or SIGTERM.\n\n"
                              "Examples:\n"
                              "  p2pa lan poses\n"
                              "  p2pa lan poses 'x=1'");
  lan_command->add_option("topic", lan.topic, "what it is about")->required();
  lan_command->add_option("message", lan.message, "what to say, of 960 bytes at most");
  lan_command->add_option("--key", lan.key_file, "key file, made when missing; without one a fresh identity");
  lan_command->add_option("--network-key", lan.network_key_file, "key file of a private network (swarm.key)")
      ->check(CLI::ExistingFile);
  lan_command->add_option("--application", lan.application, "only those that say the same here are heard");
  lan_command->add_option("--port", lan.port, "UDP port that all use (4010)")->check(CLI::Range(1, 65'535));
  lan_command->add_flag("--broadcast", lan.broadcast, "say it to all hosts of the subnet, not by multicast");
  lan_command->add_flag("--json", lan.json, "print JSON lines");

  DemoOptions demo;
  auto* demo_command = command(app, "demo", "agents that share out real work, and lose two of them",
                               "Examples:\n  p2pa demo\n  p2pa demo --folder ~/books");
  demo_command
      ->add_option("folder,--folder", demo.folder,
                   "count the words of its text files (default: the licences and documents of this system)")
      ->check(CLI::ExistingDirectory);
  demo_command->add_option("--agents", demo.agents, "agent processes")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  demo_command->add_option("--kill", demo.kill, "agents to lose on the way")
      ->check(CLI::Range(0, 199))
      ->capture_default_str();
  demo_command->add_option("--liars", demo.liars, "agents that count wrong, to see that it is noticed")
      ->check(CLI::Range(0, 200))
      ->capture_default_str();
  demo_command->add_option("--role", demo.role)
      ->group("")
      ->check(CLI::IsMember({"directory", "agent", "liar"}));
  demo_command->add_option("--directory", demo.directory)->group("");

  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kUsage;
  }
  const auto named = [&](const CLI::App* one) { return one->get_name() == argv[1]; };
  if (argv[1][0] != '-' && app.get_subcommands(named).empty()) {
    print_error(fmt::format("no such command: {}", argv[1]), "p2pa --help lists them");
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  set_verbosity(verbosity);
  if (id_command->parsed()) return run_id(id);
  if (node_command->parsed()) return run_node(node);
  if (dial_command->parsed()) return run_dial(dial);
  if (ping_command->parsed()) return run_ping(ping);
  if (call_command->parsed()) return run_call(call);
  if (perf_command->parsed()) return run_perf(perf);
  if (lan_command->parsed()) return run_lan(lan);
  return run_demo(demo);
}

}  // namespace
}  // namespace p2pa_tool

int main(int argc, char** argv) {
  try {
    return p2pa_tool::finish_output(p2pa_tool::run(argc, argv));
  } catch (const std::system_error&) {  // how fmt says that it could not print
    return p2pa_tool::finish_output(p2pa_tool::kFailed);
  }
}
