#include <cstdio>
#include <unistd.h>

#include "support.hpp"

using namespace p2pa::test;

namespace {

std::int32_t open(const Node::Configure& configure, p2pa_error_info* error = nullptr) {
  p2pa_node_options options;
  p2pa_node_options_init(&options);
  configure(options);
  p2pa_node node{};
  const std::int32_t status = p2pa_node_open(&options, &node, error);
  if (status == P2PA_OK) p2pa_node_free(node);
  return status;
}

void count(void* counter) { ++*static_cast<int*>(counter); }

}  // namespace

TEST_CASE("a node opens without options, and its handle dies with it") {
  p2pa_node node{};
  REQUIRE(p2pa_node_open(nullptr, &node, nullptr) == P2PA_OK);
  p2pa_peer peer;
  CHECK(p2pa_node_peer(node, &peer) == P2PA_OK);
  CHECK(p2pa_node_free(node) == P2PA_OK);
  CHECK(p2pa_node_free(node) == P2PA_E_STALE_HANDLE);
  CHECK(p2pa_node_peer(node, &peer) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("a handle is never given twice") {
  p2pa_node first{}, second{};
  REQUIRE(p2pa_node_open(nullptr, &first, nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_free(first) == P2PA_OK);
  REQUIRE(p2pa_node_open(nullptr, &second, nullptr) == P2PA_OK);
  CHECK(first.v != second.v);
  p2pa_peer peer;
  CHECK(p2pa_node_peer(first, &peer) == P2PA_E_STALE_HANDLE);
  CHECK(p2pa_node_free(second) == P2PA_OK);
}

TEST_CASE("options of a newer library are refused only when they use what is new") {
  struct {
    p2pa_node_options options;
    std::uint64_t from_the_future;
  } newer{};
  newer.options.struct_size = sizeof newer;
  p2pa_node node{};
  REQUIRE(p2pa_node_open(&newer.options, &node, nullptr) == P2PA_OK);
  p2pa_node_free(node);
  newer.from_the_future = 1;
  CHECK(p2pa_node_open(&newer.options, &node, nullptr) == P2PA_E_UNSUPPORTED);
}

TEST_CASE("options of an older header have defaults in what they do not know") {
  p2pa_node_options options;
  std::memset(&options, 0xff, sizeof options);
  options.struct_size = 2 * sizeof(std::uint32_t);
  options.serve_perf = 0;
  p2pa_node node{};
  REQUIRE(p2pa_node_open(&options, &node, nullptr) == P2PA_OK);
  p2pa_node_free(node);
}

TEST_CASE("options that can never work are refused") {
  const std::string_view bad = "/ip4/1.2.3/udp/1/quic-v1";
  p2pa_error_info error;
  p2pa_error_info_init(&error);
  CHECK(open([&](p2pa_node_options& o) { o.listen = bad.data(), o.listen_size = bad.size(); }, &error) ==
        P2PA_E_MALFORMED);
  CHECK(error.code == P2PA_E_MALFORMED);
  CHECK(std::string(error.text) != "");
  CHECK(open([](p2pa_node_options& o) { o.struct_size = 3; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.listen_size = 3; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.key_size = 32; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.log_level = 6; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.congestion_control = 3; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.security = 5; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.web_trust = 3; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.proxy_size = 3; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.idle_close_us = -1; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.open_timeout_us = -1; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.low_water = 2, o.high_water = 1; }) == P2PA_E_INVALID_ARGUMENT);
  const auto with_text = [](const char* p2pa_node_options::*text, std::size_t p2pa_node_options::*size,
                            std::string_view value) {
    return open([=](p2pa_node_options& o) { o.*text = value.data(), o.*size = value.size(); });
  };
  using O = p2pa_node_options;
  CHECK(with_text(&O::proxy, &O::proxy_size, "ftp://127.0.0.1:1") == P2PA_E_INVALID_ARGUMENT);
  CHECK(with_text(&O::dns_servers, &O::dns_servers_size, "127.0.0.1\nnone") == P2PA_E_INVALID_ARGUMENT);
  CHECK(with_text(&O::dns_servers, &O::dns_servers_size, "127.0.0.1:5353\n::1") == P2PA_OK);
  CHECK(with_text(&O::network_key, &O::network_key_size, "/key/swarm/psk/1.0.0/\n/base16/\n00") ==
        P2PA_E_BAD_KEY_FILE);
  CHECK(with_text(&O::web_certificate_file, &O::web_certificate_file_size, "/no/key/beside.pem") ==
        P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.dial_private = 4; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.serve_perf = 2; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.idle_timeout_us = -1; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(open([](p2pa_node_options& o) { o.handshake_timeout_us = INT64_MAX; }) == P2PA_E_INVALID_ARGUMENT);
  const std::string longest(255, 'a'), longer(256, 'a');
  const auto agent = [](std::string_view text) {
    return open([&](p2pa_node_options& o) { o.agent_version = text.data(), o.agent_version_size = text.size(); });
  };
  CHECK(agent(longest) == P2PA_OK);
  CHECK(agent(longer) == P2PA_E_INVALID_ARGUMENT);
  CHECK(agent("\xff") == P2PA_E_INVALID_ARGUMENT);
  const std::uint8_t key[33] = {};
  CHECK(open([&](p2pa_node_options& o) { o.key = key, o.key_size = 33; }) == P2PA_E_BAD_KEY);
  CHECK(open([&](p2pa_node_options& o) {
          o.key = key, o.key_size = 32, o.key_file = "x", o.key_file_size = 1;
        }) == P2PA_E_INVALID_ARGUMENT);
}

TEST_CASE("an error info of an older header is left alone") {
  p2pa_error_info error;
  std::memset(&error, 0x5a, sizeof error);
  error.struct_size = 4;
  CHECK(open([](p2pa_node_options& o) { o.log_level = 6; }, &error) == P2PA_E_INVALID_ARGUMENT);
  CHECK(error.code == 0x5a5a5a5a);
}

TEST_CASE("a key file is made once and gives the same peer again") {
  char path[] = "p2pa_capi_key_XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0);
  close(fd);
  const auto with_file = [&](p2pa_node_options& o) { o.key_file = path, o.key_file_size = sizeof path - 1; };
  CHECK(open(with_file) == P2PA_E_BAD_KEY_FILE);  // an empty file is nobody's key, and stays
  std::remove(path);
  {
    const Node first(with_file);
    const Node second(with_file);
    CHECK(std::memcmp(first.peer(), second.peer(), sizeof(p2pa_peer)) == 0);
  }
  std::remove(path);
}

TEST_CASE("a node with too few events to tell that it listens does not open") {
  const auto with = [](std::uint32_t events_max, p2pa_error_info* error = nullptr) {
    p2pa_limits limits;
    p2pa_limits_init(&limits);
    limits.events_max = events_max;
    return open([&](p2pa_node_options& o) { o.limits = &limits; }, error);
  };
  p2pa_error_info error;
  p2pa_error_info_init(&error);
  CHECK(with(1, &error) == P2PA_E_INVALID_ARGUMENT);
  CHECK(std::string_view(error.text) == "limits.events_max is under 16");
  CHECK(with(15) == P2PA_E_INVALID_ARGUMENT);
  CHECK(with(16) == P2PA_OK);
}

TEST_CASE("the log triple is dropped exactly once, also when the node does not open") {
  int dropped = 0;
  const auto logging = [&](p2pa_node_options& o) {
    o.log = [](void*, const p2pa_log_record*) {};
    o.log_ctx = &dropped;
    o.log_drop = count;
  };
  CHECK(open(logging) == P2PA_OK);
  CHECK(dropped == 1);
  CHECK(open([&](p2pa_node_options& o) { logging(o), o.serve_perf = 7; }) == P2PA_E_INVALID_ARGUMENT);
  CHECK(dropped == 2);
  CHECK(open([&](p2pa_node_options& o) { logging(o), o.listen = "nonsense", o.listen_size = 8; }) ==
        P2PA_E_MALFORMED);
  CHECK(dropped == 3);
  p2pa_node_options options;
  p2pa_node_options_init(&options);
  logging(options);
  CHECK(p2pa_node_open(&options, nullptr, nullptr) == P2PA_E_INVALID_ARGUMENT);
  CHECK(dropped == 4);
}

TEST_CASE("an address that cannot be listened on is told") {
  Node node;
  const std::string_view address = "/ip4/192.0.2.77/udp/1/quic-v1";  // not ours: a documentation address
  REQUIRE(p2pa_node_listen(*node, address.data(), address.size(), nullptr) == P2PA_OK);
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_LISTEN_FAILED) == 1; }));
  CHECK(node.of(P2PA_EVENT_LISTEN_FAILED).at(0).event.status < 0);
  CHECK(node.of(P2PA_EVENT_LISTEN_FAILED).at(0).address == address);
}

TEST_CASE("a node closes with one last event, and takes no work after that") {
  Node node;
  REQUIRE(p2pa_node_close(*node) == P2PA_OK);
  REQUIRE(p2pa_node_close(*node) == P2PA_OK);
  p2pa_op op{};
  CHECK(p2pa_node_ping(*node, node.peer(), &op) == P2PA_E_CLOSED);
  CHECK(p2pa_node_serve(*node, "m", 1, P2PA_SERVE_UNARY) == P2PA_E_CLOSED);
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
  CHECK(node.seen.back().event.kind == P2PA_EVENT_CLOSED);
  CHECK(node.seen.back().event.status == P2PA_OK);
  p2pa_event event;
  p2pa_event_init(&event);
  CHECK(p2pa_node_wait_event(*node, -1, &event) == P2PA_E_CLOSED);
  CHECK(p2pa_node_poll(*node, -1, 0) == P2PA_OK);  // does not sleep
  CHECK(p2pa_node_next_event(*node, &event) == P2PA_NONE);
  CHECK(p2pa_node_close(*node) == P2PA_OK);
}

TEST_CASE("a struct's size is believed up to 4096") {
  struct {
    p2pa_node_options options;
    char rest[4097 - sizeof(p2pa_node_options)];
  } large{};
  p2pa_node node{};
  large.options.struct_size = 4096;
  REQUIRE(p2pa_node_open(&large.options, &node, nullptr) == P2PA_OK);
  p2pa_node_free(node);
  large.options.struct_size = 4097;
  CHECK(p2pa_node_open(&large.options, &node, nullptr) == P2PA_E_INVALID_ARGUMENT);
  p2pa_call_options garbage;
  p2pa_call_options_init(&garbage);
  garbage.struct_size = UINT32_MAX;
  Node other;
  p2pa_op op{};
  CHECK(p2pa_node_call(*other, other.peer(), "m", 1, nullptr, 0, &garbage, &op) == P2PA_E_INVALID_ARGUMENT);
}
