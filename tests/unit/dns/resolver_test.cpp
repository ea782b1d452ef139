#include "dns/resolver.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>

#include "dns/txt_message.hpp"

using namespace p2pa;
using namespace p2pa::dns;

namespace {

constexpr Instant kStart{1'000'000'000};
const std::string kPeer = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kOther = "/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq";

using Found = Result<std::vector<Multiaddr>>;

Multiaddr address(const std::string& text) { return Multiaddr::parse(text).value(); }

/// A resolver, its name server, and what came of each resolution.
struct World {
  std::size_t resolve(const std::vector<std::string>& asked_for) {
    std::vector<Multiaddr> addresses;
    for (const std::string& text : asked_for) addresses.push_back(address(text));
    const std::size_t at = found.size();
    found.emplace_back();
    resolver.resolve(now, addresses, [this, at](Instant, Found result) {
      CHECK_FALSE(found[at].has_value());
      found[at] = std::move(result);
    });
    CHECK_FALSE(found[at].has_value());  // never inside the call
    return at;
  }
  /// Resolves, answers everything, and says what was found.
  Found run(const std::vector<std::string>& asked_for) {
    const std::size_t at = resolve(asked_for);
    answer_all();
    REQUIRE(found[at].has_value());
    return *found[at];
  }
  Answer answer_to(const Query& query) const {
    Answer answer;
    answer.id = query.id;
    answer.ttl = ttl;
    if (query.type == RecordType::kTxt) {
      if (const auto it = texts.find(query.name); it != texts.end()) answer.texts = it->second;
    } else if (const auto it = ips.find(query.name); it != ips.end()) {
      for (const std::string& ip : it->second) answer.addresses.push_back(IpAddress::parse(ip).value());
    }
    const bool nothing = answer.texts.empty() && answer.addresses.empty();
    if (nothing) answer.result = fail(Code::kNotFound, "no such name");
    return answer;
  }
  std::vector<Query> take_queries() {
    std::vector<Query> out;
    for (Query query; resolver.poll_query(query);) out.push_back(query);
    asked += out.size();
    return out;
  }
  void answer_all() {
    for (auto queries = take_queries(); !queries.empty(); queries = take_queries()) {
      for (const Query& query : queries) resolver.handle(now, answer_to(query));
    }
    resolver.turn(now);
  }

  Resolver resolver;
  Instant now = kStart;
  Duration ttl = seconds(60);
  std::map<std::string, std::vector<std::string>> ips, texts;
  std::vector<std::optional<Found>> found;
  std::size_t asked = 0;
};

std::vector<std::string> shown(const Found& found) {
  std::vector<std::string> out;
  REQUIRE(found.has_value());
  for (const Multiaddr& each : *found) out.push_back(each.to_string());
  return out;
}

using Texts = std::vector<std::string>;

std::string record(const std::string& text) { return "dnsaddr=" + text; }

}  // namespace

TEST_CASE("names become addresses, in order and each once") {
  World world;
  world.ips["a"] = {"192.0.2.1", "2001:db8::1", "192.0.2.2"};
  world.ips["b"] = {"192.0.2.2", "192.0.2.3"};
  CHECK(shown(world.run({"/dns4/a/tcp/1", "/ip4/192.0.2.9/tcp/1", "/dns4/b/tcp/1", "/dns6/a/tcp/1"})) ==
        Texts{"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1", "/ip4/192.0.2.9/tcp/1", "/ip4/192.0.2.3/tcp/1",
              "/ip6/2001:db8::1/tcp/1"});
  CHECK(world.asked == 3);
}

TEST_CASE("/dns takes what either family has") {
  World world;
  world.ips["both"] = {"192.0.2.1", "2001:db8::1"};
  world.ips["old"] = {"192.0.2.1"};
  CHECK(shown(world.run({"/dns/both/udp/1/quic-v1"})) ==
        Texts{"/ip6/2001:db8::1/udp/1/quic-v1", "/ip4/192.0.2.1/udp/1/quic-v1"});
  CHECK(shown(world.run({"/dns/old/tcp/1"})) == Texts{"/ip4/192.0.2.1/tcp/1"});
}

TEST_CASE("an order that answers come in is not the order of what was found") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  world.ips["b"] = {"192.0.2.2"};
  const std::size_t at = world.resolve({"/dns4/a/tcp/1", "/dns4/b/tcp/1"});
  const auto queries = world.take_queries();
  REQUIRE(queries.size() == 2);
  world.resolver.handle(world.now, world.answer_to(queries[1]));
  CHECK_FALSE(world.resolver.has_work());
  world.resolver.handle(world.now, world.answer_to(queries[0]));
  CHECK(world.resolver.has_work());
  world.resolver.turn(world.now);
  CHECK(shown(*world.found[at]) == Texts{"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1"});
}

TEST_CASE("a dnsaddr leads through others to the addresses of its peer") {
  World world;
  world.texts["_dnsaddr.boot"] = {record("/dnsaddr/one" + kPeer), record("/dnsaddr/two" + kOther)};
  world.texts["_dnsaddr.one"] = {record("/dns4/host/tcp/1" + kPeer),
                                 record("/ip4/192.0.2.7/udp/1/quic-v1" + kPeer),
                                 record("/ip4/192.0.2.8/tcp/1" + kOther)};
  world.ips["host"] = {"192.0.2.1"};
  CHECK(shown(world.run({"/dnsaddr/boot" + kPeer})) ==
        Texts{"/ip4/192.0.2.1/tcp/1" + kPeer, "/ip4/192.0.2.7/udp/1/quic-v1" + kPeer});
  CHECK(world.asked == 3);  // never for what is another peer's
  CHECK(world.resolver.counters().filtered_records == 2);
}

TEST_CASE("records that are no addresses are counted and passed over") {
  World world;
  world.texts["_dnsaddr.a"] = {"v=spf1 -all", record("/ip4/1.2.3"), record("/ip4/192.0.2.1/tcp/1"),
                               std::string(9, '\0')};
  CHECK(shown(world.run({"/dnsaddr/a"})) == Texts{"/ip4/192.0.2.1/tcp/1"});
  CHECK(world.resolver.counters().bad_records == 3);
  world.texts["_dnsaddr.b"] = {"nothing", "of use"};
  CHECK(world.run({"/dnsaddr/b"}).error().code == Code::kUnresolved);
}

TEST_CASE("addresses of the other family, and those in an answer about texts, are not taken") {
  World world;
  const std::size_t at = world.resolve({"/dns6/a/tcp/1", "/dnsaddr/a"});
  for (const Query& query : world.take_queries()) {
    Answer answer;
    answer.id = query.id;
    answer.addresses = {IpAddress::parse("192.0.2.1").value()};
    world.resolver.handle(world.now, answer);
  }
  world.resolver.turn(world.now);
  REQUIRE(world.found[at].has_value());
  CHECK(world.found[at]->error().code == Code::kUnresolved);
}

TEST_CASE("names may follow each other up to a bound") {
  World world;
  world.ips["end"] = {"192.0.2.1"};
  const auto chain = [&](int names) {
    for (int i = 1; i < names - 1; ++i) {
      world.texts["_dnsaddr.n" + std::to_string(i)] = {record("/dnsaddr/n" + std::to_string(i + 1))};
    }
    world.texts["_dnsaddr.n" + std::to_string(names - 1)] = {record("/dns4/end/tcp/1")};
    world.now = world.now + Cache::kTtlMax;
    return world.run({"/dnsaddr/n1"});
  };
  CHECK(chain(kDepthMax).has_value());
  const auto deeper = chain(kDepthMax + 1);
  REQUIRE_FALSE(deeper.has_value());
  CHECK(deeper.error() == Error{Code::kUnresolved, kDepthMax, ""});
  CHECK(world.resolver.counters().over_bound == 1);
}

TEST_CASE("names that lead back to themselves end, and what else they lead to is found") {
  World world;
  world.texts["_dnsaddr.a"] = {record("/dnsaddr/a"), record("/dnsaddr/b")};
  world.texts["_dnsaddr.b"] = {record("/dnsaddr/a"), record("/ip4/192.0.2.1/tcp/1"), record("/dnsaddr/b")};
  CHECK(shown(world.run({"/dnsaddr/a"})) == Texts{"/ip4/192.0.2.1/tcp/1"});
  CHECK(world.asked == 2);
  world.texts["_dnsaddr.self"] = {record("/dnsaddr/self")};
  CHECK(world.run({"/dnsaddr/self"}).error().code == Code::kUnresolved);
  CHECK(world.asked == 3);
}

TEST_CASE("a resolution asks a bounded number of questions, whether the cache answers or not") {
  World world;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "n" + std::to_string(i);
    world.texts["_dnsaddr.wide"].push_back(record("/dns4/" + name + "/tcp/1"));
    world.ips[name] = {"192.0.2." + std::to_string(i)};
  }
  const auto first = world.run({"/dnsaddr/wide"});
  CHECK(world.asked == kQuestionsMax);
  REQUIRE(first.has_value());
  CHECK(first->size() == kQuestionsMax - 1);
  CHECK(world.run({"/dnsaddr/wide"})->size() == kQuestionsMax - 1);
  CHECK(world.asked == kQuestionsMax);
  CHECK(world.resolver.counters().over_bound == 2 * (60 - (kQuestionsMax - 1)));
}

TEST_CASE("a resolution comes to a bounded number of addresses") {
  World world;
  for (std::size_t i = 0; i < 60; ++i) {
    world.texts["_dnsaddr.a"].push_back(record("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
    world.texts["_dnsaddr.b"].push_back(record("/ip4/192.0.2.1/tcp/" + std::to_string(100 + i)));
  }
  CHECK(world.run({"/dnsaddr/a", "/dnsaddr/b"})->size() == kAddressesMax);
  CHECK(world.resolver.counters().over_bound == 20);
  for (std::size_t i = 0; i <= kRecordsMax; ++i) {
    world.ips["many"].push_back("11.0.1." + std::to_string(i));
  }
  CHECK(world.run({"/dns4/many/tcp/1"})->size() == kRecordsMax);
}

TEST_CASE("who asks for the same at the same time shares one query") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  const std::size_t one = world.resolve({"/dns4/a/tcp/1"});
  const std::size_t two = world.resolve({"/dns4/A./tcp/2", "/dns4/a/tcp/3"});
  world.answer_all();
  CHECK(world.asked == 1);
  CHECK(shown(*world.found[one]) == Texts{"/ip4/192.0.2.1/tcp/1"});
  CHECK(shown(*world.found[two]) == Texts{"/ip4/192.0.2.1/tcp/2", "/ip4/192.0.2.1/tcp/3"});
}

TEST_CASE("what is known is not asked for until its time to live is over") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  REQUIRE(world.run({"/dns4/a/tcp/1"}).has_value());
  world.now = world.now + seconds(59);
  REQUIRE(world.run({"/dns4/a/tcp/2"}).has_value());
  CHECK(world.asked == 1);
  world.now = world.now + seconds(1);
  REQUIRE(world.run({"/dns4/a/tcp/1"}).has_value());
  CHECK(world.asked == 2);
}

TEST_CASE("a failure is remembered for a short time") {
  World world;
  CHECK(world.run({"/dns4/a/tcp/1"}).error().code == Code::kUnresolved);
  CHECK(world.run({"/dns4/a/tcp/1"}).error().code == Code::kUnresolved);
  CHECK(world.asked == 1);
  world.now = world.now + Cache::kFailureTtl;
  world.ips["a"] = {"192.0.2.1"};
  CHECK(world.run({"/dns4/a/tcp/1"}).has_value());
}

TEST_CASE("when time is over what was found until then is the answer") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  CHECK(world.resolver.next_deadline() == kNever);
  const std::size_t some = world.resolve({"/dns4/a/tcp/1", "/dns4/slow/tcp/1"});
  const std::size_t none = world.resolve({"/dns4/slow/tcp/1"});
  const auto queries = world.take_queries();
  REQUIRE(queries.size() == 2);
  world.resolver.handle(world.now, world.answer_to(queries[0]));
  CHECK(world.resolver.next_deadline() == kStart + kResolutionTimeout);
  world.now = kStart + kResolutionTimeout;
  world.resolver.on_deadline(world.now);
  CHECK(world.resolver.next_deadline() == kNever);
  world.resolver.turn(world.now);
  CHECK(shown(*world.found[some]) == Texts{"/ip4/192.0.2.1/tcp/1"});
  REQUIRE(world.found[none].has_value());
  CHECK(world.found[none]->error().code == Code::kUnresolved);

  // The late answer concerns nobody, and is known from then on.
  world.ips["slow"] = {"192.0.2.5"};
  world.resolver.handle(world.now, world.answer_to(queries[1]));
  CHECK_FALSE(world.resolver.has_work());
  CHECK(world.run({"/dns4/slow/tcp/1"}).has_value());
  CHECK(world.asked == 2);
}

TEST_CASE("an error says more than that a name is unknown") {
  World world;
  const std::size_t at = world.resolve({"/dns/a/tcp/1"});
  const auto queries = world.take_queries();
  REQUIRE(queries.size() == 2);
  world.resolver.handle(world.now, world.answer_to(queries[0]));  // nothing there
  Answer silence;
  silence.id = queries[1].id;
  silence.result = fail(Code::kTimeout, "no name server answered");
  world.resolver.handle(world.now, silence);
  world.resolver.turn(world.now);
  CHECK(world.found[at]->error().code == Code::kUnresolved);
  CHECK(std::string(world.found[at]->error().why) == "no name server answered");
}

TEST_CASE("a name that no host has is not asked for") {
  World world;
  CHECK(world.run({"/dns4/a b/tcp/1"}).error().code == Code::kMalformed);
  CHECK(world.run({"/dns4/" + std::string(64, 'a') + "/tcp/1"}).error().code == Code::kMalformed);
  CHECK(world.asked == 0);
  world.ips["a"] = {"192.0.2.1"};
  CHECK(world.run({"/dns4/a b/tcp/1", "/dns4/a/tcp/1"}).has_value());
}

TEST_CASE("nothing to resolve is an error, and addresses without names need no query") {
  World world;
  CHECK(world.run({}).error().code == Code::kUnresolved);
  CHECK(shown(world.run({"/ip4/192.0.2.1/tcp/1"})) == Texts{"/ip4/192.0.2.1/tcp/1"});
  CHECK(world.asked == 0);
}

TEST_CASE("queries beyond the bound wait until others are answered") {
  World world;
  for (std::size_t i = 0; i <= kQueriesMax; ++i) world.resolve({"/dns4/n" + std::to_string(i) + "/tcp/1"});
  const auto queries = world.take_queries();
  CHECK(queries.size() == kQueriesMax);
  CHECK_FALSE(world.resolver.has_queries());
  world.resolver.handle(world.now, world.answer_to(queries[3]));
  CHECK(world.resolver.has_queries());
  CHECK(world.take_queries().size() == 1);
}

TEST_CASE("a query that nobody waits for any more is not sent") {
  World world;
  for (std::size_t i = 0; i <= kQueriesMax; ++i) world.resolve({"/dns4/n" + std::to_string(i) + "/tcp/1"});
  const auto queries = world.take_queries();
  world.now = world.now + kResolutionTimeout;
  world.resolver.on_deadline(world.now);
  for (const Query& query : queries) world.resolver.handle(world.now, world.answer_to(query));
  CHECK(world.take_queries().empty());
  CHECK(world.run({"/dns4/n64/tcp/1"}).error().code == Code::kUnresolved);  // asked anew
  CHECK(world.asked == kQueriesMax + 1);
}

TEST_CASE("resolutions beyond the bound fail at once") {
  World world;
  for (std::size_t i = 0; i < kResolutionsMax; ++i) world.resolve({"/dns4/a/tcp/" + std::to_string(i)});
  const std::size_t over = world.resolve({"/dns4/a/tcp/1"});
  world.resolver.turn(world.now);
  REQUIRE(world.found[over].has_value());
  CHECK(world.found[over]->error() == Error{Code::kRateLimited, kResolutionsMax, ""});
  CHECK_FALSE(world.found[0].has_value());
}

TEST_CASE("answers that were not asked for, or come twice, are ignored") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  Answer unasked;
  unasked.id = 77;
  world.resolver.handle(world.now, unasked);
  const std::size_t at = world.resolve({"/dns4/a/tcp/1"});
  const auto queries = world.take_queries();
  for (int i = 0; i < 2; ++i) world.resolver.handle(world.now, world.answer_to(queries.at(0)));
  world.resolver.turn(world.now);
  CHECK(world.found[at]->has_value());
  CHECK_FALSE(world.resolver.has_work());
}

TEST_CASE("who is told may ask again") {
  World world;
  world.ips["a"] = {"192.0.2.1"};
  int told = 0;
  world.resolver.resolve(world.now, {address("/dns4/a/tcp/1")}, [&](Instant now, Found) {
    ++told;
    world.resolver.resolve(now, {address("/dns4/a/tcp/1")},
                           [&](Instant, Found again) { told += again ? 10 : 0; });
  });
  world.answer_all();
  CHECK(told == 1);
  world.resolver.turn(world.now);
  CHECK(told == 11);
}
