#pragma once
// What the command shows: lines for people, JSON lines for programs, a progress bar on a terminal.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "commands.hpp"
#include "p2pagents/error.hpp"

namespace p2pa_tool {

using JsonValue = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

/// One JSON object on one line of standard output, flushed.
void print_json(std::initializer_list<std::pair<const char*, JsonValue>> members);
/// One line on standard error, "p2pa: text".
void print_error(std::string_view text);
/// The same for a failed operation; returns the exit code that belongs to it.
int report(std::string_view what, const p2pa::Error& error);

std::string human_bytes(double bytes);

/// True after SIGINT or SIGTERM, once stop_on_signals() was called.
void stop_on_signals();
bool stop_requested();

/// A bar on standard error. Shows itself only on a terminal, and only once a second has passed.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(double fraction, std::string_view note);

 private:
  std::string label_;
  std::int64_t started_ns_;
  std::int64_t shown_ns_ = 0;
  bool terminal_;
  bool visible_ = false;
};

}  // namespace p2pa_tool
