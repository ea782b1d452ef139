// The program of the official transport suites, in both contracts (../README.md, "The official suites"):
// libp2p/unified-testing when IS_DIALER is set, libp2p/test-plans otherwise.

#include <hiredis/hiredis.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "p2pagents/node.hpp"
#include "transport.hpp"
#include "web_certificate.hpp"

namespace {

using p2pa::Multiaddr;
using p2pa::Node;

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

/// Null when it is not built in. QUIC brings its own security and streams: both suites then leave those two unset.
const interop::Transport* transport(const std::string& name, const std::string& security, const std::string& muxer) {
  if (name == "quic-v1") return interop::transport("quic");
  if ((name != "tcp" && name != "ws" && name != "wss") || muxer != "yamux" || security.empty()) return nullptr;
  return interop::transport(name + "-" + security);
}

struct Contract {
  bool unified = false, dialer = false;
  const interop::Transport* transport = nullptr;
  std::string ip, redis, key;
  double timeout_s = 180;
};

std::optional<Contract> contract_of_environment() {
  Contract c;
  c.unified = std::getenv("IS_DIALER") != nullptr;
  if (c.unified) {
    c.dialer = environment("IS_DIALER", "") == "true";
    c.transport =
        transport(environment("TRANSPORT", ""), environment("SECURE_CHANNEL", ""), environment("MUXER", ""));
    c.ip = environment("LISTENER_IP", "0.0.0.0");
    c.redis = environment("REDIS_ADDR", "redis:6379");
    const std::string test = environment("TEST_KEY", "");
    if (test.empty()) return std::nullopt;
    c.key = test + "_listener_multiaddr";
  } else {
    c.dialer = environment("is_dialer", "") == "true";
    c.transport = transport(environment("transport", ""), environment("security", ""), environment("muxer", ""));
    c.ip = environment("ip", "0.0.0.0");
    c.redis = environment("redis_addr", "redis:6379");
    c.key = "listenerAddr";
  }
  const std::string seconds =
      environment("test_timeout_seconds", environment("TEST_TIMEOUT_SECONDS", "180").c_str());
  c.timeout_s = std::strtod(seconds.c_str(), nullptr);
  if (c.transport == nullptr || c.timeout_s <= 0) return std::nullopt;
  return c;
}

/// A connection to the suite's redis.
class Redis {
 public:
  explicit Redis(const std::string& address) {
    const auto colon = address.rfind(':');
    const std::string host = address.substr(0, colon);
    const int port = colon == std::string::npos ? 6379 : std::atoi(address.c_str() + colon + 1);
    context_.reset(redisConnect(host.c_str(), port));
  }
  bool connected() const { return context_ && context_->err == 0; }
  /// The text that came back; empty when none did.
  std::string command(const char* verb, const std::string& key, const std::string& value = {}) {
    const char* words[] = {verb, key.c_str(), value.c_str()};
    const std::size_t sizes[] = {std::char_traits<char>::length(verb), key.size(), value.size()};
    const std::unique_ptr<redisReply, void (*)(void*)> reply(
        static_cast<redisReply*>(
            redisCommandArgv(context_.get(), value.empty() ? 2 : 3, const_cast<const char**>(words), sizes)),
        freeReplyObject);
    if (!reply || reply->type != REDIS_REPLY_STRING) return {};
    return std::string(reply->str, reply->len);
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

p2pa::Duration duration(double seconds) {
  return p2pa::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

/// An address that others can reach when there is one.
std::optional<std::string> published_address(const Node& node) {
  const auto all = node.addresses();
  if (all.empty()) return std::nullopt;
  for (const Multiaddr& address : all) {
    const auto ip = address.find(Multiaddr::Protocol::kIp4);
    if (ip && (*ip)[0] != 127) return address.to_string();
  }
  return all.front().to_string();
}

int listen(const Contract& c, Redis& redis) {
  const auto address = Multiaddr::parse("/ip4/" + c.ip + c.transport->listen);
  if (!address) return 1;
  p2pa::NodeOptions options;
  options.listen = {*address};
  options.security = c.transport->security;
  std::unique_ptr<interop::WebCertificate> certificate;
  if (c.transport->web) {
    certificate = interop::WebCertificate::make();
    if (!certificate) return 1;
    options.web_certificate_file = certificate->certificate_file();
    options.web_key_file = certificate->key_file();
  }
  auto node = Node::open(std::move(options));
  if (!node) return 1;
  bool published = false;
  const auto end = (*node)->now() + duration(c.timeout_s);
  while ((*node)->now() < end && (*node)->poll(p2pa::milliseconds(100))) {
    const auto own = published_address(**node);
    if (published || !own) continue;
    redis.command("DEL", c.key);
    redis.command("RPUSH", c.key, *own);
    published = true;
    certificate.reset();  // it is read, and who is killed leaves no files
  }
  return 1;  // a listener runs until it is killed
}

/// Published as a list, or, as the text of unified-testing has it, as a string.
std::optional<Multiaddr> await_listener(const Contract& c, Redis& redis, Node& node, p2pa::Instant end) {
  while (node.now() < end) {
    std::string text = redis.command("LPOP", c.key);
    if (text.empty()) text = redis.command("GET", c.key);
    if (const auto address = Multiaddr::parse(text); address && !text.empty()) return *address;
    if (!node.poll(p2pa::milliseconds(100))) break;
  }
  return std::nullopt;
}

int dial(const Contract& c, Redis& redis) {
  p2pa::NodeOptions options;
  options.security = c.transport->security;
  options.web_roots_file.clear();  // every listener of the suites signs its own certificate
  auto opened = Node::open(std::move(options));
  if (!opened) return 1;
  Node& node = **opened;
  const auto end = node.now() + duration(c.timeout_s);
  const auto address = await_listener(c, redis, node, end);
  if (!address) return 1;

  const auto begin = node.now();
  std::optional<p2pa::Result<p2pa::Duration>> pinged;
  bool failed = false;
  node.dial(*address, [&](auto connection) {
    failed = !connection;
    if (connection) node.ping(connection->peer, [&](auto rtt) { pinged = std::move(rtt); });
  });
  node.poll_until([&] { return failed || pinged.has_value(); }, end - node.now());
  if (!pinged || !*pinged) return 1;
  const double handshake_ms = (node.now() - begin).seconds() * 1e3;
  const double ping_ms = (*pinged)->seconds() * 1e3;
  if (c.unified) {
    std::printf("latency:\n  handshake_plus_one_rtt: %.3f\n  ping_rtt: %.3f\n  unit: ms\n", handshake_ms, ping_ms);
  } else {
    std::printf("{\"handshakePlusOneRTTMillis\":%.3f,\"pingRTTMilllis\":%.3f}\n", handshake_ms, ping_ms);
  }
  node.close();
  node.poll_until([&] { return node.closed(); }, p2pa::seconds(2));
  return 0;
}

}  // namespace

int main() {
  const auto contract = contract_of_environment();
  if (!contract) {
    std::fputs("the environment does not describe a test that is built in\n", stderr);
    return 1;
  }
  Redis redis(contract->redis);
  if (!redis.connected()) {
    std::fputs("no redis\n", stderr);
    return 1;
  }
  return contract->dialer ? dial(*contract, redis) : listen(*contract, redis);
}
