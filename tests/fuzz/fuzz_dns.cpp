// A name server that answers whatever it likes. The input is the addresses that are resolved, and then the
// answers, taken in turns with the passing of time.
#include <deque>

#include "base/assert.hpp"
#include "dns/expansion.hpp"
#include "dns/host_name.hpp"
#include "dns/resolver.hpp"
#include "dns/server.hpp"
#include "dns/txt_message.hpp"
#include "fuzz/input.hpp"

using namespace p2pa;
using namespace p2pa::dns;

namespace {

constexpr std::size_t kResolutions = 8;
/// Names, so that what is made up leads to what is asked for.
constexpr const char* kRecords[] = {
    "dnsaddr=/dnsaddr/a", "dnsaddr=/dnsaddr/b", "dnsaddr=/dns/c/tcp/1/wss", "dnsaddr=/ip4/192.0.2.1/tcp/1",
    "dnsaddr=/dns4/d/udp/1/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"};
constexpr const char* kAsked[] = {
    "/dnsaddr/a", "/dns/c/tcp/1", "/dns6/d/tcp/443/tls/ws",
    "/dnsaddr/a/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"};

void check_message(ByteView message) {
  const auto records = read_txt_message(message);
  if (!records) return;
  P2PA_ASSERT(!records->texts.empty() && records->texts.size() <= kRecordsMax);
  P2PA_ASSERT(records->ttl >= Duration{0});
}

void check_name(ByteView text) {
  const auto name = host_name(text);
  if (!name) return;
  P2PA_ASSERT(!name->empty() && name->size() <= kNameMax);
  P2PA_ASSERT(host_name(as_bytes(*name)) == *name);
}

void check_server(ByteView text) {
  const auto server = parse_server(as_text(text));
  if (server) P2PA_ASSERT(parse_server(server->to_string()) == *server);
}

void check_found(const std::vector<Multiaddr>& found) {
  P2PA_ASSERT(!found.empty() && found.size() <= kAddressesMax);
  for (const Multiaddr& address : found) {
    P2PA_ASSERT(!address.empty() && !has_name(address));
    P2PA_ASSERT(std::ranges::count(found, address) == 1);
  }
}

Multiaddr next_address(fuzz::Input& input) {
  const std::uint8_t how = input.byte();
  if (how < 0x80) return *Multiaddr::parse(kAsked[how % std::size(kAsked)]);
  const auto address = Multiaddr::from_bytes(input.take(how & 0x7f));
  return address ? *address : *Multiaddr::parse("/dns/a");
}

std::string next_record(fuzz::Input& input) {
  const std::uint8_t how = input.byte();
  if (how < 0x80) return kRecords[how % std::size(kRecords)];
  return "dnsaddr=" + std::string(as_text(input.take(how & 0x7f)));
}

Answer next_answer(fuzz::Input& input, const Query& query) {
  Answer answer;
  answer.id = query.id;
  answer.ttl = seconds(input.byte());
  const std::uint8_t how = input.byte();
  if (how == 0xff) answer.result = fail(Code::kTimeout);
  for (int i = how & 7; i > 0; --i) {
    IpAddress ip;
    ip.v6 = (how & 8) != 0;
    ip.bytes[0] = input.byte();
    answer.addresses.push_back(ip);
    answer.texts.push_back(next_record(input));
  }
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_message({data, size});
  check_name({data, size});
  check_server({data, size});

  fuzz::Input input({data, size});
  Instant now{1'000'000'000};
  std::size_t begun = 0, ended = 0;
  std::deque<Query> queries;
  Resolver resolver;
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    if (what % 4 == 0 && begun < kResolutions) {
      std::vector<Multiaddr> addresses;
      for (int i = what / 64; i >= 0; --i) addresses.push_back(next_address(input));
      ++begun;
      resolver.resolve(now, addresses, [&](Instant, Result<std::vector<Multiaddr>> found) {
        ++ended;
        if (found) check_found(*found);
      });
    } else if (what % 4 == 1) {
      now = now + milliseconds(what * 10);
      if (resolver.next_deadline() <= now) resolver.on_deadline(now);
    } else if (!queries.empty()) {
      resolver.handle(now, next_answer(input, queries.front()));
      queries.pop_front();
    }
    for (Query query; resolver.poll_query(query);) queries.push_back(query);
    P2PA_ASSERT(queries.size() <= kQueriesMax);
    resolver.turn(now);
  }
  now = now + kResolutionTimeout;
  resolver.on_deadline(now);
  resolver.turn(now);
  P2PA_ASSERT(begun == ended && resolver.next_deadline() == kNever);
  return 0;
}
