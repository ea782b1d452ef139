#include "output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

namespace p2pa_tool {
namespace {

using p2pa::Code;

volatile std::sig_atomic_t stop_flag = 0;

/// What went wrong, in words; the code's name is for those who look it up.
std::string reason(const p2pa::Error& error) {
  if (error.code == Code::kIo && error.detail != 0) {
    return std::strerror(static_cast<int>(error.detail));
  }
  const std::string_view name = p2pa::code_name(error.code);
  return *error.why == '\0' ? std::string(name) : fmt::format("{} ({})", error.why, name);
}

const char* system_hint(int number) {
  switch (number) {
    case EADDRINUSE: return "another program has this port; port 0 takes a free one";
    case EADDRNOTAVAIL: return "this machine has no such address; /ip4/0.0.0.0 stands for all that it has";
    case EACCES: return "ports below 1024, and other people's files, need rights that you do not have";
    case ENOENT: return "is there a folder missing on the way?";
    default: return "";
  }
}

/// What to do about it; empty when nobody can know.
const char* hint(const p2pa::Error& error) {
  switch (error.code) {
    case Code::kIo: return system_hint(static_cast<int>(error.detail));
    case Code::kInvalidArgument: return "p2pa --help, or p2pa <command> --help";
    case Code::kRefused: return "-v says by which number";
    case Code::kUnreachable:
    case Code::kTimeout:
    case Code::kHandshake:
      return "is a node running there, and does its port let packets in?";
    case Code::kPeerIdMismatch:
      return "another node answers at this address; `p2pa node` prints the right one when it starts";
    case Code::kUnresolved: return "is the name right, and does this machine reach a name server?";
    case Code::kNoAddress:
    case Code::kUnsupported:
      return "only addresses like /ip4/192.0.2.1/udp/4001/quic-v1 and /ip4/192.0.2.1/tcp/4001 can be dialed";
    case Code::kNoSuchMethod: return "the peer serves other methods; `p2pa node` serves `echo`";
    case Code::kProtocolUnsupported:
      return "the peer does not speak this protocol; /perf/1.0.0 is answered by `p2pa node --perf`";
    case Code::kBadKeyFile: return "the file was left as it is; move it away, or name another one";
    case Code::kMessageTooLarge: return "send it in parts";
    case Code::kDeadlineExceeded: return "--timeout gives it more time";
    default: return "";
  }
}

int exit_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return kUsage;
    case Code::kUnreachable:
    case Code::kNoAddress:
    case Code::kUnresolved:
    case Code::kUnsupported:
    case Code::kPeerIdMismatch:
    case Code::kHandshake:
    case Code::kConnectionLost:
    case Code::kConnectionClosed: return kUnreachable;
    case Code::kApplication: return kApplication;
    case Code::kTimeout:
    case Code::kDeadlineExceeded: return kTimedOut;
    default: return kFailed;
  }
}

/// HOST:PORT of a proxy's URL: who may use it is nobody's business.
std::string_view place_of(std::string_view proxy) {
  const std::size_t user = proxy.rfind('@');
  const std::size_t scheme = proxy.find("://");
  if (user != std::string_view::npos) {
    proxy.remove_prefix(user + 1);
  } else if (scheme != std::string_view::npos) {
    proxy.remove_prefix(scheme + 3);
  }
  return proxy.substr(0, proxy.find('/'));
}

std::int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

bool terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

void print_json(std::initializer_list<std::pair<const char*, JsonValue>> members) {
  nlohmann::ordered_json object;
  for (const auto& [name, value] : members) {
    std::visit([&, key = name](const auto& v) { object[key] = v; }, value);
  }
  // Texts of peers need not be UTF-8.
  fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::fflush(stdout);
}

void print_error(std::string_view text, std::string_view hint) {
  fmt::print(stderr, "p2pa: {}\n", text);
  if (!hint.empty()) fmt::print(stderr, "hint: {}\n", hint);
}

int report(std::string_view what, const p2pa::Error& error) {
  print_error(fmt::format("{}: {}", what, reason(error)), hint(error));
  return exit_code(error.code);
}

int report_dial(std::string_view address, std::string_view proxy, const p2pa::Error& error) {
  std::string what = fmt::format("cannot connect to {}", address);
  const char* advice = hint(error);
  if (!proxy.empty()) {
    what += fmt::format(" through the proxy at {}", place_of(proxy));
    if (error.code == Code::kUnreachable) advice = "is the proxy running there, and does it reach the node?";
  }
  print_error(fmt::format("{}: {}", what, reason(error)), advice);
  const int code = exit_code(error.code);
  return code == kFailed ? kUnreachable : code;
}

int report_address(std::string_view text, const p2pa::Error& error) {
  print_error(fmt::format("not an address: {} ({})", text.empty() ? "''" : text, error.why),
              "an address looks like /ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooW...");
  return kUsage;
}

int report_interrupted() {
  print_error("interrupted");
  return kInterrupted;
}

int finish_output(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  // What was lost before has left no reason behind.
  print_error(fmt::format("not all of the output could be written{}{}", errno == 0 ? "" : ": ",
                          errno == 0 ? "" : std::strerror(errno)));
  return code == kOk ? kFailed : code;
}

std::string human_bytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string paint(Color color, std::string_view text) {
  static const bool coloured = terminal(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr;
  return coloured ? fmt::format("\x1b[{}m{}\x1b[0m", static_cast<int>(color), text) : std::string(text);
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_flag = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return stop_flag != 0; }

Progress::Progress(std::string label)
    : label_(std::move(label)), started_ns_(monotonic_ns()), terminal_(terminal(STDERR_FILENO)) {}

bool Progress::due() {
  if (!terminal_) return false;
  const std::int64_t now = monotonic_ns();
  if (now - started_ns_ < 1'000'000'000 || now - shown_ns_ < 50'000'000) return false;
  shown_ns_ = now;
  return true;
}

void Progress::show(const std::string& line) {
  visible_ = true;
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

void Progress::update(double fraction, std::string_view note) {
  if (!due()) return;
  constexpr int kWidth = 32;
  const int full = static_cast<int>(fraction * kWidth);
  show(fmt::format("{} [{:#<{}}{:.<{}}] {:3.0f} %  {}", label_, "", full, "", kWidth - full, fraction * 100,
                   note));
}

void Progress::update(std::string_view note) {
  if (!due()) return;
  const std::int64_t seconds = (monotonic_ns() - started_ns_) / 1'000'000'000;
  show(fmt::format("{} ... {} s{}{}", label_, seconds, note.empty() ? "" : ", ", note));
}

void Progress::clear() {
  if (!std::exchange(visible_, false)) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace p2pa_tool
