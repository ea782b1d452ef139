#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

extern char** environ;

namespace p2pa_tool {

Process Process::start(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {-1, -1};
  std::vector<std::string> texts = arguments;
  texts.insert(texts.begin(), "p2pa");
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t pid = -1;
  if (posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  return {pid, ends[0]};
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      killed_(other.killed_) {}

Process::~Process() {
  if (pid_ > 0) kill(pid_, SIGKILL);
  reap();
  if (output_ >= 0) close(output_);
}

std::string Process::read_line() {
  std::string line;
  pollfd ready{output_, POLLIN, 0};
  char c = 0;
  while (poll(&ready, 1, 5000) == 1 && read(output_, &c, 1) == 1) {
    if (c == '\n') return line;
    line.push_back(c);
  }
  return {};
}

void Process::kill_now() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  killed_ = true;
  reap();
}

void Process::terminate() {
  if (pid_ > 0) kill(pid_, SIGTERM);
}

void Process::reap() {
  if (pid_ > 0) waitpid(std::exchange(pid_, -1), nullptr, 0);
}

}  // namespace p2pa_tool
