// Unary gRPC calls between two processes, without TLS. The contract is in ../README.md.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "echo.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using p2pagents::bench::Echo;
using p2pagents::bench::Payload;
using Options = std::map<std::string, long>;

constexpr int kExitUsage = 2;
constexpr long kWarmUpCalls = 200;

int usage() {
  std::cerr << "usage: grpc_peer server [--cpu N]\n"
               "       grpc_peer client IP:PORT pingpong [--size 64] [--rounds 20000] [--depth 1] [--cpu N]\n";
  return kExitUsage;
}

bool parse_options(int count, char** words, Options& options) {
  for (int i = 0; i + 1 < count; i += 2) {
    const auto known = options.find(words[i]);
    if (known == options.end()) return false;
    known->second = std::atol(words[i + 1]);
  }
  return count % 2 == 0 && options["--size"] >= 0 && options["--rounds"] > 0 && options["--depth"] > 0;
}

// Before gRPC starts its threads, which inherit it.
void pin(long cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<int>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    std::perror("sched_setaffinity");
    std::exit(1);
  }
}

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void await_stdin_end() {
  std::fflush(stdout);
  while (std::cin.get() != std::istream::traits_type::eof()) {
  }
}

class EchoService final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const Payload* request,
                                 Payload* response) override {
    response->set_data(request->data());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int serve() {
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::printf("{\"peer\":\"grpc\",\"event\":\"listening\",\"address\":\"127.0.0.1:%d\"}\n", port);
  await_stdin_end();
  server->Shutdown();
  std::printf("{\"peer\":\"grpc\",\"event\":\"done\",\"cpu_s\":%.6f}\n", cpu_s());
  return 0;
}

struct Call {
  grpc::ClientContext context;
  Payload response;
  grpc::Status status;
  Clock::time_point start;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Payload>> reader;
};

class Client {
 public:
  explicit Client(const std::string& target)
      : stub_(Echo::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()))) {}

  // Makes the calls with so many in flight; the time of each comes back, in order of completion.
  std::vector<double> run(long calls, long depth, const Payload& request) {
    std::vector<double> times_us;
    times_us.reserve(static_cast<std::size_t>(calls));
    long started = 0;
    while (static_cast<long>(times_us.size()) < calls) {
      for (; started < calls && started - static_cast<long>(times_us.size()) < depth; ++started) start(request);
      times_us.push_back(finish_one());
    }
    return times_us;
  }

 private:
  void start(const Payload& request) {
    auto call = std::make_unique<Call>();
    call->start = Clock::now();
    call->reader = stub_->AsyncCall(&call->context, request, &queue_);
    auto* tag = call.release();  // taken back in finish_one
    tag->reader->Finish(&tag->response, &tag->status, tag);
  }

  double finish_one() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!ok || !call->status.ok()) {
      std::cerr << "call failed: " << call->status.error_message() << "\n";
      std::exit(1);
    }
    return std::chrono::duration<double, std::micro>(Clock::now() - call->start).count();
  }

  std::unique_ptr<Echo::Stub> stub_;
  grpc::CompletionQueue queue_;
};

int ping_pong(const std::string& target, const Options& options) {
  const long size = options.at("--size"), rounds = options.at("--rounds"), depth = options.at("--depth");
  Client client(target);
  Payload request;
  request.set_data(std::string(static_cast<std::size_t>(size), 'x'));
  client.run(kWarmUpCalls, 1, request);

  const double cpu_before_s = cpu_s();
  const auto start = Clock::now();
  auto times_us = client.run(rounds, depth, request);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(times_us.begin(), times_us.end());
  const auto at = [&](long percent) { return times_us[times_us.size() * static_cast<std::size_t>(percent) / 100]; };
  std::printf("{\"peer\":\"grpc\",\"case\":\"pingpong\",\"size\":%ld,\"rounds\":%ld,\"depth\":%ld,\"p50_us\":%.2f,"
              "\"p99_us\":%.2f,\"per_s\":%.1f,\"seconds\":%.6f,\"cpu_s\":%.6f}\n",
              size, rounds, depth, at(50), at(99), static_cast<double>(rounds) / seconds, seconds,
              cpu_s() - cpu_before_s);
  await_stdin_end();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options{{"--size", 64}, {"--rounds", 20000}, {"--depth", 1}, {"--cpu", -1}};
  const std::string command = argc > 1 ? argv[1] : "";
  const int words_before_options = command == "client" ? 4 : 2;
  if (argc < words_before_options ||
      !parse_options(argc - words_before_options, argv + words_before_options, options)) {
    return usage();
  }
  pin(options["--cpu"]);
  if (command == "server") return serve();
  if (command == "client" && std::strcmp(argv[3], "pingpong") == 0) return ping_pong(argv[2], options);
  return usage();
}
