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
namespace {

/// A busy machine takes its time to start a process.
constexpr int kSilenceMsMax = 30'000;

}  // namespace

Process Process::start(const std::vector<std::string>& arguments) {
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0) return {-1, -1, -1};
  if (pipe2(output, O_CLOEXEC) != 0) {
    close(input[0]);
    close(input[1]);
    return {-1, -1, -1};
  }
  std::vector<std::string> texts = arguments;
  texts.insert(texts.begin(), "p2pa");
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  pid_t pid = -1;
  if (posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  return {pid, input[1], output[0]};
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      killed_(other.killed_) {}

Process::~Process() {
  if (pid_ > 0) kill(pid_, SIGKILL);
  reap();
  if (input_ >= 0) close(input_);
  if (output_ >= 0) close(output_);
}

std::string Process::read_line() {
  std::string line;
  pollfd ready{output_, POLLIN, 0};
  char c = 0;
  while (poll(&ready, 1, kSilenceMsMax) == 1 && read(output_, &c, 1) == 1) {
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

void Process::reap() {
  if (pid_ > 0) waitpid(std::exchange(pid_, -1), nullptr, 0);
}

bool parent_gone() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char sink = 0;
  return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, &sink, 1) <= 0;
}

}  // namespace p2pa_tool
