#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <ios>
#include <utility>

namespace p2pa_tool {
namespace {

p2pa::LogLevel log_level = p2pa::LogLevel::kWarning;

p2pa::Result<p2pa::PreSharedKey> read_network_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(p2pa::PreSharedKey::kFileBytesMax + 1, '\0');  // one over is seen to be too long
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return p2pa::PreSharedKey::parse(p2pa::as_bytes(text));
}

}  // namespace

void set_verbosity(int verbosity) {
  constexpr p2pa::LogLevel kLevels[] = {p2pa::LogLevel::kWarning, p2pa::LogLevel::kDebug, p2pa::LogLevel::kTrace};
  log_level = kLevels[std::clamp(verbosity, 0, 2)];
}

std::expected<p2pa::NodeOptions, int> options_for(const NetworkOptions& network) {
  p2pa::NodeOptions options;
  options.log_level = log_level;
  options.log = [](const p2pa::LogRecord& record) { fmt::print(stderr, "{}: {}\n", record.subsystem, record.text); };
  options.proxy = network.proxy;
  options.dns_servers = network.dns_servers;
  if (network.web_roots_file) options.web_roots_file = *network.web_roots_file;
  if (network.network_key_file.empty()) return options;
  auto key = read_network_key(network.network_key_file);
  if (!key) return std::unexpected(report(network.network_key_file, key.error()));
  options.network_key = *std::move(key);
  return options;
}

Session::Session(const std::string& text, const NetworkOptions& network, p2pa::Duration timeout) {
  stop_on_signals();
  const auto address = p2pa::Multiaddr::parse(text);
  if (!address) {
    exit_code_ = report_address(text, address.error());
    return;
  }
  auto options = options_for(network);
  if (!options) {
    exit_code_ = options.error();
    return;
  }
  auto opened = p2pa::Node::open(*std::move(options));
  if (!opened) {
    exit_code_ = report("cannot start a node", opened.error());
    return;
  }
  node_ = *std::move(opened);
  if (timeout.ns > 0) deadline_ = node_->now() + timeout;
  const auto dialed = later<p2pa::Result<p2pa::ConnectionInfo>>();
  node_->dial(*address, {}, [dialed, told = dial_report_](auto result, const p2pa::DialReport& report) {
    *told = report;
    *dialed = std::move(result);
  });
  Progress progress("connecting");
  if (!run_until([&] { return dialed->has_value() || node_->now() >= deadline_; }, progress)) {
    exit_code_ = report_interrupted();
    return;
  }
  if (!dialed->has_value()) {
    exit_code_ = report_dial(text, network.proxy, {p2pa::Code::kDeadlineExceeded, 0, "no answer in time"});
    return;
  }
  if (!**dialed) {
    exit_code_ = report_dial(text, network.proxy, (*dialed)->error());
    return;
  }
  connection_ = ***dialed;
  ok_ = true;
  exit_code_ = kOk;
}

Session::~Session() {
  if (!node_) return;
  node_->close();
  node_->poll_until([this] { return node_->closed(); }, p2pa::seconds(2));
}

bool Session::run_until(std::move_only_function<bool()> done) {
  while (!done()) {
    if (stop_requested() || !node_->poll(std::min(p2pa::milliseconds(100), left()))) return false;
  }
  return true;
}

bool Session::run_until(std::move_only_function<bool()> done, Progress& progress) {
  const bool in_time = run_until([&] {
    progress.update();
    return done();
  });
  progress.clear();
  return in_time;
}

}  // namespace p2pa_tool
