#include <unistd.h>

#include <cstdio>

#include "session.hpp"

namespace p2pa_tool {
namespace {

std::string read_all(std::FILE* file) {
  std::string out;
  char buffer[65536];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, file)) out.append(buffer, n);
  return out;
}

}  // namespace

int run_call(const CallCommandOptions& options) {
  const std::string data = options.data == "-" ? read_all(stdin) : options.data;
  Session session(options.address, options.network,
                  p2pa::nanoseconds(static_cast<std::int64_t>(options.timeout_s * 1e9)));
  if (session.node() == nullptr) return session.exit_code();

  p2pa::CallOptions call_options;
  call_options.deadline = session.left();
  const auto exit_code = later<int>();
  session.node()->call(
      session.peer(), options.method, p2pa::as_bytes(data), call_options,
      [exit_code, method = options.method](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
        if (outcome.ok()) {
          std::fwrite(answer.data(), 1, answer.size(), stdout);
          if (!answer.empty() && answer.back() != '\n' && isatty(STDOUT_FILENO) == 1) std::putchar('\n');
          *exit_code = kOk;
        } else if (outcome.error.code == p2pa::Code::kApplication) {
          print_error(method + " answered with error " + std::to_string(outcome.application.code) +
                      ": " + outcome.application.text);
          *exit_code = kApplication;
        } else {
          *exit_code = report("no answer to " + method, outcome.error);
        }
      });
  Progress progress("waiting for the answer");
  if (session.run_until([&] { return exit_code->has_value(); }, progress)) return **exit_code;
  return report_interrupted();
}

}  // namespace p2pa_tool
