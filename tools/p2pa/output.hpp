#pragma once
// What the command shows: lines for people, JSON lines for programs, progress on a terminal.

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
/// On standard error: "p2pa: text", and what to do about it on a line of its own.
void print_error(std::string_view text, std::string_view hint = {});
/// The same for a failed operation; returns the exit code that belongs to it.
int report(std::string_view what, const p2pa::Error& error);
/// The same for a dial. `proxy`: the URL of the one that it went through, or empty.
int report_dial(std::string_view address, std::string_view proxy, const p2pa::Error& error);
/// The same for a text that is no address.
int report_address(std::string_view text, const p2pa::Error& error);
/// The same for what a signal ended.
int report_interrupted();
/// At the end of the process: `code`, or kFailed with a reason when not all that was printed on standard
/// output got there.
int finish_output(int code);

std::string human_bytes(double bytes);
/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

enum class Color : std::uint8_t { kGreen = 32, kRed = 31, kBold = 1 };
/// In colour on a terminal that has them (https://no-color.org), else as it is.
std::string paint(Color color, std::string_view text);

/// True after SIGINT or SIGTERM, once stop_on_signals() was called.
void stop_on_signals();
bool stop_requested();

/// What is going on, on standard error. Shows itself only on a terminal, and only once a second has
/// passed.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// A bar.
  void update(double fraction, std::string_view note);
  /// For what has no known end: the seconds so far.
  void update(std::string_view note = {});
  /// Takes it off the terminal, so that a line can be printed; the next update shows it again.
  void clear();

 private:
  bool due();
  void show(const std::string& line);

  std::string label_;
  std::int64_t started_ns_;
  std::int64_t shown_ns_ = 0;
  bool terminal_;
  bool visible_ = false;
};

}  // namespace p2pa_tool
