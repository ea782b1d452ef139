#pragma once
// Processes of this same program, for the demo.

#include <string>
#include <sys/types.h>
#include <vector>

namespace p2pa_tool {

/// A child that runs this program with other arguments. Killed and reaped when it goes; should this
/// process be killed first, the child sees parent_gone().
class Process {
 public:
  /// Its standard output can be read with read_line(); standard error is ours.
  static Process start(const std::vector<std::string>& arguments);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;
  ~Process();

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  /// Waits a while; empty when the child says nothing.
  std::string read_line();
  void kill_now();  ///< SIGKILL: no goodbye
  bool killed() const { return killed_; }

 private:
  Process(pid_t pid, int input, int output) : pid_(pid), input_(input), output_(output) {}
  void reap();
  pid_t pid_;
  int input_;  // never written to: it ends with this process
  int output_;
  bool killed_ = false;
};

/// In such a child: is the process that started it gone? Does not wait.
bool parent_gone();

}  // namespace p2pa_tool
