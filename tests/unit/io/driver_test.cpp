#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "io/uv_driver.hpp"
#include "p2pagents/node.hpp"
#include "scenario.hpp"
#include "system_calls.hpp"
#include "temporary_folder.hpp"

namespace p2pa::io {
namespace {

constexpr Duration kPatience = seconds(20);
constexpr const char* kListen = "/ip4/127.0.0.1/udp/0/quic-v1";
constexpr const char* kListenTcp = "/ip4/127.0.0.1/tcp/0";

std::unique_ptr<Node> open(NodeOptions options) {
  auto node = Node::open(std::move(options));
  REQUIRE(node.has_value());
  return std::move(*node);
}

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
std::size_t threads() { return entries("/proc/self/task"); }
std::size_t descriptors() { return entries("/proc/self/fd"); }

bool is_readable(int fd) {
  pollfd descriptor{fd, POLLIN, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

void close_in_order(Node& node) {
  node.close();
  CHECK(node.poll_until([&] { return node.closed(); }, kPatience));
}

// --- opening

TEST_CASE("an open node knows its addresses before anything ran, with the port the system chose") {
  auto node = open(agent_options(1, kListen));
  const auto addresses = node->addresses();
  REQUIRE(addresses.size() == 1);
  CHECK(addresses[0].to_string().starts_with("/ip4/127.0.0.1/udp/"));
  CHECK_FALSE(addresses[0].to_string().starts_with("/ip4/127.0.0.1/udp/0/"));
  CHECK(addresses[0].peer_id() == node->id());
}

TEST_CASE("unspecified addresses are told as those of the interfaces") {
  auto node = open(agent_options(1, "/ip4/0.0.0.0/udp/0/quic-v1"));
  const auto addresses = node->addresses();
  REQUIRE_FALSE(addresses.empty());
  for (const Multiaddr& address : addresses) {
    CHECK_FALSE(address.to_string().starts_with("/ip4/0.0.0.0/"));
  }
}

TEST_CASE("a node without a key gets one of its own") {
  auto first = open({});
  auto second = open({});
  CHECK(first->id() != second->id());
}

TEST_CASE("a port in use is the error of open when it was the only one") {
  auto first = open(agent_options(1, GENERATE(kListen, kListenTcp)));
  auto options = agent_options(2);
  options.listen = {first->addresses()[0].without_peer_id()};
  const auto second = Node::open(std::move(options));
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Code::kIo);
  CHECK(second.error().detail == EADDRINUSE);
}

TEST_CASE("one port of several in use is an event, and the node goes on with the others") {
  auto first = open(agent_options(1, GENERATE(kListen, kListenTcp)));
  auto options = agent_options(2, kListen);
  options.listen.push_back(first->addresses()[0].without_peer_id());
  auto second = open(std::move(options));
  std::vector<NodeEvent> events;
  second->on_event([&](const NodeEvent& event) { events.push_back(event); });
  REQUIRE(second->poll_until([&] { return events.size() == 2; }, kPatience));
  CHECK(events[0].kind == NodeEvent::Kind::kListening);
  CHECK(events[1].kind == NodeEvent::Kind::kListenFailed);
  CHECK(events[1].error.detail == EADDRINUSE);
  CHECK(second->addresses().size() == 1);
}

TEST_CASE("options that can never work are refused by open") {
  NodeOptions tcp;
  tcp.listen = {Multiaddr::parse("/ip4/127.0.0.1/udp/0").value()};
  auto refused = Node::open(std::move(tcp));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::kInvalidArgument);

  const TemporaryFolder folder;
  NodeOptions qlog;
  qlog.qlog_directory = folder / "none";
  refused = Node::open(std::move(qlog));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::kIo);
  CHECK(refused.error().detail == ENOENT);
}

TEST_CASE("a hundred nodes that come and go leave no descriptor behind") {
  const bool orderly = GENERATE(true, false);
  open(agent_options(1, kListen));  // libuv keeps two for the process
  const std::size_t before = descriptors();
  for (int i = 0; i < 100; ++i) {
    auto node = open(agent_options(1, kListen));
    CHECK(descriptors() > before);
    if (orderly) close_in_order(*node);
  }
  CHECK(descriptors() == before);
}

// --- threads

TEST_CASE("the library starts a thread when asked, and only then") {
  std::thread([] {}).join();  // some sanitizers start one of their own with the first
  const std::size_t before = threads();
  auto node = open(agent_options(1, "/ip4/0.0.0.0/udp/0/quic-v1"));
  auto peer = open(agent_options(2));
  bool dialed = false;
  peer->dial(node->addresses()[0], [&](Result<ConnectionInfo> info) { dialed = info.has_value(); });
  const Instant end = node->now() + kPatience;
  while (!dialed && node->now() < end) {
    REQUIRE(node->poll(microseconds(200)).has_value());
    REQUIRE(peer->poll(microseconds(200)).has_value());
  }
  CHECK(dialed);
  CHECK(threads() == before);
  REQUIRE(node->start_thread().has_value());
  CHECK(threads() == before + 1);
  node->stop_thread();
  CHECK(threads() == before);
}

TEST_CASE("a node on its own thread refuses poll and a second thread, until it is stopped") {
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->poll(Duration{0}).has_value());
  REQUIRE(node->start_thread().has_value());
  CHECK(node->start_thread().error().code == Code::kInvalidState);
  CHECK(node->poll(Duration{0}).error().code == Code::kInvalidState);
  node->stop_thread();
  node->stop_thread();  // once more does no harm
  CHECK(node->poll(Duration{0}).has_value());
  REQUIRE(node->start_thread().has_value());
  node.reset();  // stops it
}

TEST_CASE("the thread can be stopped from within, and then started or polled again") {
  auto node = open(agent_options(1, kListen));
  for (int i = 0; i < 3; ++i) {
    std::atomic<Code> started_within = Code::kOk;
    REQUIRE(node->start_thread().has_value());
    REQUIRE(node->post([&](Node& self) {
      self.stop_thread();
      started_within = self.start_thread().error().code;
    }).has_value());
    while (started_within == Code::kOk) std::this_thread::yield();
    CHECK(started_within == Code::kInvalidState);
  }
  node->stop_thread();
  CHECK(node->poll(Duration{0}).has_value());
}

TEST_CASE("signals stay with the host's threads") {
  auto node = open(agent_options(1, kListen));
  sigset_t before, seen, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  std::atomic<bool> done = false;
  REQUIRE(node->start_thread().has_value());
  REQUIRE(node->post([&](Node&) {
    pthread_sigmask(SIG_SETMASK, nullptr, &seen);
    done = true;
  }).has_value());
  while (!done) std::this_thread::yield();
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&seen, SIGINT) == 1);
  CHECK(sigismember(&seen, SIGTERM) == 1);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) {
    CHECK(sigismember(&before, signal) == sigismember(&after, signal));
  }
}

TEST_CASE("a callback that throws ends the thread, and the process lives") {
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->start_thread().has_value());
  REQUIRE(node->post([](Node&) { throw 1; }).has_value());
  bool refused = false;
  while (!refused) refused = !node->post([](Node&) {}).has_value();
  node->stop_thread();
}

// --- poll and the descriptor

TEST_CASE("poll says how many turns had work, and an idle node has none") {
  auto node = open(agent_options(1, kListen));
  const auto first = node->poll(Duration{0});
  REQUIRE(first.has_value());
  CHECK(*first > 0);  // it says kListening
  CHECK(node->poll(Duration{0}) == 0);
  CHECK(node->poll(microseconds(100)) == 0);
}

TEST_CASE("poll refuses to run inside itself, and without a budget") {
  auto node = open(agent_options(1, kListen));
  Code poll = Code::kOk, start = Code::kOk;
  REQUIRE(node->post([&](Node& self) {
    poll = self.poll(Duration{0}).error().code;
    start = self.start_thread().error().code;
  }).has_value());
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK(poll == Code::kInvalidState);
  CHECK(start == Code::kInvalidState);
  CHECK(node->poll(Duration{0}, 0).error().code == Code::kInvalidArgument);
}

TEST_CASE("the descriptor is silent when there is nothing to do") {
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK_FALSE(is_readable(node->wakeup_fd()));
  CHECK(node->next_deadline() > node->now());
}

TEST_CASE("the descriptor tells of a datagram, also before the first poll") {
  const bool polled = GENERATE(false, true);
  auto node = open(agent_options(1, kListen));
  if (polled) REQUIRE(node->poll(Duration{0}).has_value());
  const int other = ::socket(AF_INET, SOCK_DGRAM, 0);
  SocketAddress to;
  const socklen_t size = to_socket_address(quic_endpoint(node->addresses()[0].without_peer_id()).value(), to);
  REQUIRE(::sendto(other, "x", 1, 0, &to.any, size) == 1);
  ::close(other);
  CHECK(is_readable(node->wakeup_fd()));
  CHECK(node->poll(Duration{0}).value() > 0);
  CHECK_FALSE(is_readable(node->wakeup_fd()));
}

TEST_CASE("a socket that was opened while running is heard by the descriptor") {
  auto node = open(agent_options(1));
  REQUIRE(node->poll(Duration{0}).has_value());
  REQUIRE(node->listen(Multiaddr::parse(kListen).value()).has_value());
  CHECK(node->next_deadline() <= node->now());  // the host must call poll()
  REQUIRE(node->poll(Duration{0}, 1).has_value());
  while (node->next_deadline() <= node->now()) REQUIRE(node->poll(Duration{0}, 1).has_value());
  REQUIRE(node->addresses().size() == 1);
  const int other = ::socket(AF_INET, SOCK_DGRAM, 0);
  SocketAddress to;
  const socklen_t size = to_socket_address(quic_endpoint(node->addresses()[0].without_peer_id()).value(), to);
  REQUIRE(::sendto(other, "x", 1, 0, &to.any, size) == 1);
  ::close(other);
  CHECK(is_readable(node->wakeup_fd()));
}

TEST_CASE("what the host asks for between polls makes the deadline now") {
  auto node = open(agent_options(1));
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK(node->next_deadline() > node->now());
  node->dial(Multiaddr::parse("/ip4/127.0.0.1/udp/9/quic-v1").value(), [](auto) {});
  CHECK(node->next_deadline() <= node->now());
}

// --- post

TEST_CASE("a post wakes the descriptor, and runs in the next poll, once") {
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->poll(Duration{0}).has_value());
  int runs = 0;
  REQUIRE(node->post([&](Node& self) { runs += &self == node.get() ? 1 : 100; }).has_value());
  CHECK(runs == 0);
  CHECK(is_readable(node->wakeup_fd()));
  CHECK(node->next_deadline() <= node->now());
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK(runs == 1);
  CHECK_FALSE(is_readable(node->wakeup_fd()));
}

TEST_CASE("a post from another thread ends a poll that sleeps") {
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->poll(Duration{0}).has_value());
  bool ran = false;
  std::thread other([&] { (void)node->post([&](Node&) { ran = true; }); });
  CHECK(node->poll_until([&] { return ran; }, kPatience));
  other.join();
}

TEST_CASE("a post from inside a post runs in a later turn of the same poll") {
  auto node = open(agent_options(1, kListen));
  std::string order;
  REQUIRE(node->post([&](Node& self) {
    REQUIRE(self.post([&](Node&) { order += 'b'; }).has_value());
    order += 'a';
  }).has_value());
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK(order == "ab");
}

TEST_CASE("posts to a node on its thread come from many threads, and all run") {
  constexpr int kThreads = 4, kPosts = 200;
  auto node = open(agent_options(1, kListen));
  std::atomic<int> runs = 0;
  REQUIRE(node->start_thread().has_value());
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) (void)node->post([&](Node&) { ++runs; });
    });
  }
  for (std::thread& poster : posters) poster.join();
  while (runs < kThreads * kPosts) std::this_thread::yield();
  node->stop_thread();
  CHECK(runs == kThreads * kPosts);
}

TEST_CASE("what was posted before the end still runs, and what comes after is refused and destroyed") {
  auto node = open(agent_options(1, kListen));
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  bool ran = false;
  REQUIRE(node->post([](Node& self) { self.close(); }).has_value());
  REQUIRE(node->post([&](Node&) { ran = true; }).has_value());
  REQUIRE(node->poll_until([&] { return node->closed(); }, kPatience));
  CHECK(ran);
  const auto late = node->post([held = std::move(held)](Node&) {});
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Code::kClosed);
  CHECK(watch.expired());
}

TEST_CASE("a post that never ran is destroyed with its node") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  auto node = open(agent_options(1, kListen));
  REQUIRE(node->post([held = std::move(held)](Node&) {}).has_value());
  node.reset();
  CHECK(watch.expired());
}

// --- trouble below

TEST_CASE("a socket that is full again and again delays, and loses nothing") {
  const FreshSystemCalls fresh;
  std::map<std::uint16_t, unsigned> tries;  // by destination: every second one is refused
  system_calls().refuse_send = [&](const msghdr& message) {
    const auto port = to_endpoint(*static_cast<const SocketAddress*>(message.msg_name)).port;
    return ++tries[port] % 2 == 1 ? EAGAIN : 0;
  };
  Scenario scenario;
  auto server = open(agent_options(1, kListen));
  auto client = open(agent_options(2));
  scenario.set_up_server(*server);
  scenario.set_up_client(*client, server->id(), server->addresses()[0]);
  const Instant end = UvLoop::now() + kPatience;
  while (!scenario.over() && UvLoop::now() < end) {
    REQUIRE(server->poll(microseconds(200)).has_value());
    REQUIRE(client->poll(microseconds(200)).has_value());
  }
  CHECK(scenario.over());
  CHECK(scenario.client.outcomes.back() == "chat: ok");
  for (const auto& [port, count] : tries) CHECK(count > 20);
}

TEST_CASE("while a socket stays full the node sleeps, and can be closed") {
  const FreshSystemCalls fresh;
  system_calls().refuse_send = [](const msghdr&) { return EAGAIN; };
  auto node = open(agent_options(1, kListen));
  bool answered = false;
  node->dial(Multiaddr::parse("/ip4/127.0.0.1/udp/9/quic-v1").value(), [&](auto) { answered = true; });
  for (int i = 0; i < 10; ++i) REQUIRE(node->poll(Duration{0}).has_value());
  close_in_order(*node);
  CHECK(answered);
}

TEST_CASE("qlog files are complete once the node is closed") {
  const TemporaryFolder folder;
  auto options = agent_options(2);
  options.qlog_directory = folder / ".";
  auto server = open(agent_options(1, kListen));
  auto client = open(std::move(options));
  Scenario scenario;
  scenario.set_up_server(*server);
  scenario.set_up_client(*client, server->id(), server->addresses()[0]);
  const Instant end = UvLoop::now() + kPatience;
  while (!scenario.over() && UvLoop::now() < end) {
    REQUIRE(server->poll(microseconds(200)).has_value());
    REQUIRE(client->poll(microseconds(200)).has_value());
  }
  REQUIRE(scenario.over());
  REQUIRE(folder.count() == 1);
  for (const auto& entry : std::filesystem::directory_iterator(folder / ".")) {
    CHECK(entry.file_size() > 0);
  }
}

}  // namespace
}  // namespace p2pa::io
