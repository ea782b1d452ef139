#include "output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace p2pa_tool {
namespace {

volatile std::sig_atomic_t stop_flag = 0;

std::int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
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

void print_error(std::string_view text) { fmt::print(stderr, "p2pa: {}\n", text); }

int report(std::string_view what, const p2pa::Error& error) {
  print_error(fmt::format("{}: {}", what, p2pa::describe(error)));
  using p2pa::Code;
  switch (error.code) {
    case Code::kInvalidArgument: return kUsage;
    case Code::kUnreachable:
    case Code::kNoAddress:
    case Code::kHandshake:
    case Code::kConnectionLost: return kUnreachable;
    case Code::kApplication: return kApplication;
    case Code::kTimeout:
    case Code::kDeadlineExceeded: return kTimedOut;
    default: return kFailed;
  }
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

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_flag = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return stop_flag != 0; }

Progress::Progress(std::string label)
    : label_(std::move(label)), started_ns_(monotonic_ns()), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(double fraction, std::string_view note) {
  if (!terminal_) return;
  const std::int64_t now = monotonic_ns();
  if (now - started_ns_ < 1'000'000'000 || now - shown_ns_ < 50'000'000) return;
  shown_ns_ = now;
  visible_ = true;
  constexpr int kWidth = 32;
  const int full = static_cast<int>(fraction * kWidth);
  fmt::print(stderr, "\r\x1b[K{} [{:#<{}}{:.<{}}] {:3.0f} %  {}", label_, "", full, "", kWidth - full,
             fraction * 100, note);
  std::fflush(stderr);
}

}  // namespace p2pa_tool
