#include "io/dns_client.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "dns/txt_message.hpp"
#include "dns_server.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::io {
namespace {

constexpr Duration kPatience = seconds(20);  // for a machine that is busy; never reached otherwise
/// For servers that answer nothing.
constexpr Duration kShort = milliseconds(50);

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

/// A client and the name server that it asks.
struct Asking {
  explicit Asking(Duration timeout = DnsClient::kTimeout)
      : client(*loop, {{server.endpoint()}, timeout},
               [this](const dns::Answer& answer) { answers.push_back(answer); }) {}

  void ask(dns::RecordType type, const std::string& name) {
    client.query({++asked, type, name}, UvLoop::now());
  }
  void turn() {
    server.serve();
    loop->collect();
    client.on_deadline(UvLoop::now());
    client.work(UvLoop::now());
  }
  /// Until every query has its answer.
  void run() {
    const Instant end = UvLoop::now() + kPatience;
    while (answers.size() < asked && UvLoop::now() < end) turn();
    REQUIRE(answers.size() == asked);
    CHECK(client.next_deadline() == kNever);
    CHECK_FALSE(client.has_work());
  }
  dns::Answer get(dns::RecordType type, const std::string& name) {
    ask(type, name);
    run();
    CHECK(answers.back().id == asked);
    return answers.back();
  }
  Error failure(dns::RecordType type, const std::string& name) {
    const dns::Answer answer = get(type, name);
    REQUIRE_FALSE(answer.result.has_value());
    return answer.result.error();
  }

  DnsServer server;
  std::unique_ptr<UvLoop> loop = *UvLoop::make();
  std::uint64_t asked = 0;
  std::vector<dns::Answer> answers;
  DnsClient client;
};

using dns::RecordType;
using Message = test::DnsMessage;
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a name server is asked for addresses and texts") {
  Asking asking;
  asking.server.set_address("both.test", ip("192.0.2.1"));
  asking.server.set_address("both.test", ip("2001:db8::1"));
  asking.server.set_texts("_dnsaddr.both.test", {"one", "two"});
  asking.ask(RecordType::kA, "both.test");
  asking.ask(RecordType::kAaaa, "both.test");
  asking.ask(RecordType::kTxt, "_dnsaddr.both.test");
  asking.run();
  std::ranges::sort(asking.answers, {}, &dns::Answer::id);
  for (const dns::Answer& answer : asking.answers) {
    CHECK(answer.result.has_value());
    CHECK(answer.ttl == seconds(60));
  }
  CHECK(asking.answers[0].addresses == std::vector{ip("192.0.2.1")});
  CHECK(asking.answers[1].addresses == std::vector{ip("2001:db8::1")});
  CHECK(asking.answers[2].texts == Texts{"one", "two"});
}

TEST_CASE("an answer that is truncated is asked for over TCP") {
  Asking asking;
  asking.server.set("_dnsaddr.long.test", DnsServer::kTxt, [](Message message, bool tcp) {
    if (!tcp) message.set_truncated();
    for (int i = 0; tcp && i < 50; ++i) message.add_text(60, {std::string(250, static_cast<char>('0' + i))});
    return std::optional(message);
  });
  const dns::Answer answer = asking.get(RecordType::kTxt, "_dnsaddr.long.test");
  CHECK(answer.texts.size() == 50);
  CHECK(answer.texts.back() == std::string(250, static_cast<char>('0' + 49)));
  CHECK(asking.server.asked_over_tcp() == 1);
}

TEST_CASE("of a huge answer a bounded part is taken") {
  Asking asking;
  const auto huge = [](std::uint16_t type, const Bytes& data) {
    return [=](Message message, bool tcp) {
      if (!tcp) message.set_truncated();
      for (int i = 0; tcp && i < 1000; ++i) {
        Bytes each = data;
        each[each.size() - 1] = static_cast<std::uint8_t>(i);
        each[each.size() - 2] = static_cast<std::uint8_t>(i >> 8);
        message.add_record(type, 60, each);
      }
      return std::optional(message);
    };
  };
  asking.server.set("huge.test", DnsServer::kA, huge(DnsServer::kA, {11, 0, 0, 0}));
  asking.server.set("_dnsaddr.huge.test", DnsServer::kTxt, huge(DnsServer::kTxt, {5, 'a', 'b', 'c', 0, 0}));
  CHECK(asking.get(RecordType::kA, "huge.test").addresses.size() == dns::kRecordsMax);
  CHECK(asking.get(RecordType::kTxt, "_dnsaddr.huge.test").texts.size() == dns::kRecordsMax);
}

TEST_CASE("a lost query is sent again") {
  Asking asking(kShort);
  int asked = 0;
  asking.server.set("lossy.test", DnsServer::kA, [&](Message message, bool) {
    message.add_record(DnsServer::kA, 60, {192, 0, 2, 1});
    return ++asked == 1 ? std::nullopt : std::optional(message);
  });
  CHECK(asking.get(RecordType::kA, "lossy.test").addresses == std::vector{ip("192.0.2.1")});
}

TEST_CASE("each way to get no answer has its error") {
  Asking asking(kShort);
  const auto with_code = [](std::uint8_t code) {
    return [code](Message message, bool) {
      message.set_code(code);
      return std::optional(message);
    };
  };
  CHECK(asking.failure(RecordType::kA, "nobody.test").code == Code::kNotFound);
  CHECK(asking.failure(RecordType::kTxt, "_dnsaddr.nobody.test").code == Code::kNotFound);
  asking.server.set("other.test", DnsServer::kA, with_code(0));
  CHECK(asking.failure(RecordType::kA, "other.test").code == Code::kNotFound);
  asking.server.set("silent.test", DnsServer::kAaaa, [](Message, bool) { return std::optional<Message>(); });
  CHECK(asking.failure(RecordType::kAaaa, "silent.test").code == Code::kTimeout);
  asking.server.set("broken.test", DnsServer::kA, with_code(2));
  CHECK(asking.failure(RecordType::kA, "broken.test").code != Code::kNotFound);
  asking.server.set("closed.test", DnsServer::kTxt, with_code(5));
  CHECK(asking.failure(RecordType::kTxt, "closed.test").code != Code::kNotFound);
}

TEST_CASE("answers that cannot be read are errors") {
  Asking asking(kShort);
  asking.server.set("_dnsaddr.bad.test", DnsServer::kTxt, [](Message message, bool) {
    message.add_record(DnsServer::kTxt, 60, {200, 'x'});
    return std::optional(message);
  });
  asking.server.set("bad.test", DnsServer::kA, [](Message message, bool) {
    message.add_record(DnsServer::kA, 60, {1, 2, 3});
    return std::optional(message);
  });
  asking.server.set("stranger.test", DnsServer::kA, [](Message message, bool) {
    message.set_id(0xffff);
    message.add_record(DnsServer::kA, 60, {192, 0, 2, 1});
    return std::optional(message);
  });
  CHECK(asking.failure(RecordType::kTxt, "_dnsaddr.bad.test").code == Code::kMalformed);
  CHECK_FALSE(asking.get(RecordType::kA, "bad.test").result.has_value());
  // An id that was guessed is right once in 65,536 times, and no error then.
  const dns::Answer guessed = asking.get(RecordType::kA, "stranger.test");
  if (!guessed.result) CHECK(guessed.result.error().code == Code::kTimeout);
}

TEST_CASE("nobody at the address of a name server is an error") {
  const auto loop = *UvLoop::make();
  std::optional<DnsServer> server(std::in_place);
  std::optional<dns::Answer> answer;
  DnsClient client(*loop, {{server->endpoint()}, kShort}, [&](const dns::Answer& a) { answer = a; });
  server.reset();
  client.query({1, RecordType::kA, "a.test"}, UvLoop::now());
  const Instant end = UvLoop::now() + kPatience;
  while (!answer && UvLoop::now() < end) {
    loop->collect();
    client.on_deadline(UvLoop::now());
    client.work(UvLoop::now());
  }
  REQUIRE(answer.has_value());
  REQUIRE_FALSE(answer->result.has_value());
  CHECK(answer->result.error().code != Code::kNotFound);
}

TEST_CASE("the host itself needs no name server") {
  Asking asking;
  CHECK(asking.get(RecordType::kA, "localhost").addresses == std::vector{ip("127.0.0.1")});
  CHECK(asking.server.asked() == 0);
}

TEST_CASE("a client may go while queries are under way") {
  Asking asking;
  asking.server.set("silent.test", DnsServer::kA, [](Message, bool) { return std::optional<Message>(); });
  asking.ask(RecordType::kA, "silent.test");
  asking.ask(RecordType::kTxt, "silent.test");
  CHECK(asking.client.next_deadline() < kNever);
}

TEST_CASE("a node dials the names that its name server knows") {
  DnsServer server;
  NodeOptions listening, dialing;
  listening.listen = {*Multiaddr::parse("/ip4/127.0.0.1/udp/0/quic-v1"),
                      *Multiaddr::parse("/ip4/127.0.0.1/tcp/0")};
  const auto peer = *Node::open(std::move(listening));
  dialing.dns_servers = {server.endpoint().to_string()};
  const auto node = *Node::open(std::move(dialing));
  const auto run = [&](auto done) {
    for (const Instant end = node->now() + kPatience; !done() && node->now() < end;) {
      server.serve();
      REQUIRE(peer->poll(Duration{0}).has_value());
      REQUIRE(node->poll(milliseconds(1)).has_value());
    }
  };
  run([&] { return peer->addresses().size() == 2; });
  const auto dial = [&](const std::string& address) {
    std::optional<Result<ConnectionInfo>> result;
    node->dial(*Multiaddr::parse(address), [&](Result<ConnectionInfo> info) { result = std::move(info); });
    run([&] { return result.has_value(); });
    REQUIRE(result.has_value());
    node->disconnect(peer->id());
    run([&] { return node->connections().empty(); });
    return *result;
  };

  server.set_address("peer.test", ip("127.0.0.1"));
  const std::string who = "/p2p/" + peer->id().to_string();
  server.set_texts("_dnsaddr.boot.test", {"v=spf1 -all", "dnsaddr=/dnsaddr/peer.boot.test" + who});
  server.set_texts("_dnsaddr.peer.boot.test", {"dnsaddr=" + peer->addresses().at(0).to_string()});
  for (const Multiaddr& address : peer->addresses()) {
    const std::string text = address.without_peer_id().to_string();
    const auto info = dial("/dns4/peer.test" + text.substr(text.find('/', 5)));
    REQUIRE(info.has_value());
    CHECK(info->peer == peer->id());
    CHECK(info->remote_address.to_string() == text);
  }
  CHECK(dial("/dnsaddr/boot.test" + who).has_value());
  const auto nobody = dial("/dns/nobody.test/tcp/1");
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().code == Code::kUnresolved);
  CHECK(std::string(nobody.error().why) == "dns: no such name");
}

}  // namespace p2pa::io
