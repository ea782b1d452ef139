#include <catch2/catch.hpp>
#include <string>

#include "node/check_options.hpp"

using namespace p2pa;

namespace {

struct Bad {
  const char* field;
  void (*spoil)(NodeOptions&);
};

constexpr std::size_t kTooWide = std::size_t{1} << 62, kTooLong = 0xffff'0001;

const Bad kBad[] = {
    {"idle_timeout", [](NodeOptions& o) { o.idle_timeout = {}; }},
    {"idle_timeout", [](NodeOptions& o) { o.idle_timeout = seconds(-1); }},
    {"idle_timeout", [](NodeOptions& o) { o.idle_timeout = hours(25); }},
    {"handshake_timeout", [](NodeOptions& o) { o.handshake_timeout = {}; }},
    {"handshake_timeout", [](NodeOptions& o) { o.handshake_timeout = hours(25); }},
    {"keep_alive", [](NodeOptions& o) { o.keep_alive = milliseconds(-1); }},
    {"keep_alive", [](NodeOptions& o) { o.keep_alive = hours(25); }},
    {"heartbeat", [](NodeOptions& o) { o.heartbeat = milliseconds(-1); }},
    {"heartbeat", [](NodeOptions& o) { o.heartbeat = milliseconds(9); }},
    {"heartbeat", [](NodeOptions& o) { o.heartbeat = hours(25); }},
    {"grace", [](NodeOptions& o) { o.grace = milliseconds(-1); }},
    {"grace", [](NodeOptions& o) { o.grace = hours(25); }},
    {"open_timeout", [](NodeOptions& o) { o.open_timeout = {}; }},
    {"open_timeout", [](NodeOptions& o) { o.open_timeout = hours(25); }},
    {"idle_close", [](NodeOptions& o) { o.idle_close = milliseconds(-1); }},
    {"idle_close", [](NodeOptions& o) { o.idle_close = hours(25); }},
    {"low_water", [](NodeOptions& o) { o.high_water = 1, o.low_water = 2; }},
    {"security", [](NodeOptions& o) { o.security.clear(); }},
    {"dns_servers", [](NodeOptions& o) { o.dns_servers = {"192.0.2.53", "dns.example.org"}; }},
    {"dns_servers", [](NodeOptions& o) { o.dns_servers.assign(9, "192.0.2.53"); }},
    {"web_certificate_file", [](NodeOptions& o) { o.web_key_file = "key.pem"; }},
    {"web_certificate_file", [](NodeOptions& o) { o.web_certificate_file = "chain.pem"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "192.0.2.1:3128"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "https://192.0.2.1:3128"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "http://192.0.2.1"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "http://192.0.2.1:0"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "http://proxy.example.org:3128"; }},
    {"proxy", [](NodeOptions& o) { o.proxy = "socks5://user:@192.0.2.1:1080"; }},
    {"security", [](NodeOptions& o) { o.security = {Security::kTls, Security::kTls}; }},
    {"limits.connections_max", [](NodeOptions& o) { o.limits.connections_max = 0; }},
    {"limits.connections_per_peer_max", [](NodeOptions& o) { o.limits.connections_per_peer_max = 0; }},
    {"limits.connections_per_ip_max", [](NodeOptions& o) { o.limits.connections_per_ip_max = 0; }},
    {"limits.streams_max", [](NodeOptions& o) { o.limits.streams_max = 0; }},
    {"limits.streams_per_peer_max", [](NodeOptions& o) { o.limits.streams_per_peer_max = 0; }},
    {"limits.streams_per_ip_max", [](NodeOptions& o) { o.limits.streams_per_ip_max = 0; }},
    {"limits.memory_max", [](NodeOptions& o) { o.limits.memory_max = 0; }},
    {"limits.memory_per_peer_max", [](NodeOptions& o) { o.limits.memory_per_peer_max = 0; }},
    {"limits.memory_per_ip_max", [](NodeOptions& o) { o.limits.memory_per_ip_max = 0; }},
    {"limits.message_bytes_max", [](NodeOptions& o) { o.limits.message_bytes_max = 0; }},
    {"limits.message_bytes_max", [](NodeOptions& o) { o.limits.message_bytes_max = kTooLong; }},
    {"limits.stream_window", [](NodeOptions& o) { o.limits.stream_window = 0; }},
    {"limits.stream_window", [](NodeOptions& o) { o.limits.stream_window = kTooWide; }},
    {"limits.connection_window", [](NodeOptions& o) { o.limits.connection_window = 0; }},
    {"limits.connection_window", [](NodeOptions& o) { o.limits.connection_window = kTooWide; }},
    {"limits.send_buffer_max", [](NodeOptions& o) { o.limits.send_buffer_max = 0; }},
    {"limits.events_max", [](NodeOptions& o) { o.limits.events_max = 0; }},
};

}  // namespace

TEST_CASE("options that can never work are refused, and the reason begins with the field") {
  for (const Bad& bad : kBad) {
    NodeOptions options;
    bad.spoil(options);
    const auto checked = check_options(options);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == Code::kInvalidArgument);
    const std::string why = checked.error().why;
    CHECK(why.substr(0, why.find(' ')) == bad.field);
    const auto opened = Node::open(std::move(options));
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().why == why);
  }
}

TEST_CASE("options at the edge of what can work are taken") {
  CHECK(check_options({}).has_value());
  NodeOptions options;
  options.keep_alive = {};
  options.idle_timeout = milliseconds(1);
  options.limits.handshakes_max = 0;
  options.limits.handshakes_per_ip_max = 0;
  options.limits.calls_max = 0;
  options.limits.calls_per_peer_max = 0;
  options.limits.streams_inbound_per_connection_max = 0;
  options.limits.stream_window = options.limits.connection_window = kTooWide - 1;
  options.limits.message_bytes_max = kTooLong - 1;
  options.proxy = "SOCKS5://user:pass%20word@[2001:db8::1]:65535/";
  CHECK(check_options(options).has_value());
}
