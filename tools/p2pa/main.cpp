#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "p2pagents/version.hpp"

int main(int argc, char** argv) {
  using namespace p2pa_tool;
  CLI::App app{"p2pa: talk to agents and libp2p nodes by their keys", "p2pa"};
  app.set_version_flag("--version", "p2pa " P2PA_VERSION_TEXT);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  p2pa id --key me.key\n"
      "  p2pa node --key me.key --listen /ip4/0.0.0.0/udp/4001/quic-v1\n"
      "  p2pa ping /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...\n"
      "  p2pa call /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW... echo hello\n"
      "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 peer unreachable,\n"
      "4 the method answered with an error, 5 timed out.");

  IdOptions id;
  auto* id_command = app.add_subcommand("id", "print the PeerId of a key file, made when missing");
  id_command->add_option("--key", id.key_file, "key file (mode 0600)")->required();
  id_command->add_flag("--json", id.json, "print JSON");
  id_command->footer("Example:\n  p2pa id --key me.key");

  NodeCommandOptions node;
  auto* node_command = app.add_subcommand("node", "run a node until SIGINT or SIGTERM");
  node_command->add_option("--key", node.key_file, "key file; without one a fresh identity");
  node_command->add_option("--listen", node.listen, "address to listen on, repeatable")
      ->default_val(std::vector<std::string>{"/ip4/0.0.0.0/udp/0/quic-v1"});
  node_command->add_option("--connect", node.connect, "address to connect to, repeatable");
  node_command->add_option("--qlog", node.qlog, "write qlog files into this folder");
  node_command->add_flag("--perf", node.perf, "answer /perf/1.0.0");
  node_command->add_flag("--json", node.json, "print events as JSON lines");
  node_command->footer("Serves the method `echo`.\n\nExample:\n  p2pa node --perf --json");

  PingOptions ping;
  auto* ping_command = app.add_subcommand("ping", "measure the round trip to a peer");
  ping_command->add_option("address", ping.address, "multiaddr with /p2p/<id>")->required();
  ping_command->add_option("-n,--count", ping.count, "how many, 0: until stopped")->capture_default_str();
  ping_command->add_option("--interval", ping.interval_ms, "milliseconds between two")->capture_default_str();
  ping_command->add_flag("--json", ping.json, "print JSON lines");
  ping_command->footer("Example:\n  p2pa ping -n 3 /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...");

  CallCommandOptions call;
  auto* call_command = app.add_subcommand("call", "call a method of a peer, print its answer");
  call_command->add_option("address", call.address, "multiaddr with /p2p/<id>")->required();
  call_command->add_option("method", call.method, "name of the method")->required();
  call_command->add_option("data", call.data, "request bytes; `-` reads standard input");
  call_command->add_option("--timeout", call.timeout_s, "seconds")->capture_default_str();
  call_command->footer("Example:\n  p2pa call /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW... echo hello");

  PerfOptions perf;
  auto* perf_command = app.add_subcommand("perf", "measure throughput to a peer (/perf/1.0.0)");
  perf_command->add_option("address", perf.address, "multiaddr with /p2p/<id>")->required();
  perf_command->add_option("--upload", perf.upload, "bytes to send")->capture_default_str();
  perf_command->add_option("--download", perf.download, "bytes to receive")->capture_default_str();
  perf_command->add_flag("--json", perf.json, "print JSON");
  perf_command->footer("Example:\n  p2pa perf --upload 1000000 /ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooW...");

  DemoOptions demo;
  auto* demo_command = app.add_subcommand("demo", "agents that share out real work, and lose two of them");
  demo_command->add_option(
      "folder", demo.folder,
      "count the words of its text files (default: the licences and documents of this system)");
  demo_command->add_option("--agents", demo.agents, "agent processes")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  demo_command->add_option("--kill", demo.kill, "agents to lose on the way")
      ->check(CLI::Range(0, 199))
      ->capture_default_str();
  demo_command->add_option("--role", demo.role)->group("");
  demo_command->add_option("--directory", demo.directory)->group("");
  demo_command->footer("Example:\n  p2pa demo ~/books");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (id_command->parsed()) return run_id(id);
  if (node_command->parsed()) return run_node(node);
  if (ping_command->parsed()) return run_ping(ping);
  if (call_command->parsed()) return run_call(call);
  if (perf_command->parsed()) return run_perf(perf);
  return run_demo(demo);
}
