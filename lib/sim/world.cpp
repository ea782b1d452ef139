#include "p2pagents/sim.hpp"

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "sim/impl.hpp"

namespace p2pa::sim {
namespace {

/// A socket is bound within the instant; who takes longer does not listen.
constexpr Duration kListenTimeout = milliseconds(1);

enum class Purpose : std::uint8_t { kNetwork = 1, kNodes = 2, kNames = 3 };

/// Independent streams of chance from one number.
std::array<std::uint8_t, 32> seed_for(std::uint64_t seed, Purpose purpose) {
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  out[8] = static_cast<std::uint8_t>(purpose);
  return out;
}

}  // namespace

World::Impl::Impl(std::uint64_t world_seed, std::string scenario_name)
    : seed(world_seed),
      scenario(std::move(scenario_name)),
      network(seed_for(seed, Purpose::kNetwork), events, stats),
      tcp(network, events, stats),
      raw_tcp(tcp),
      name_server(seed_for(seed, Purpose::kNames)),
      node_rng(seed_for(seed, Purpose::kNodes)) {}

World::Impl::~Impl() {
  in_turn = true;  // completions may run while nodes go
  for (Slot& slot : slots) slot.node.reset();
}

World::World(std::uint64_t seed, std::string scenario)
    : impl_(std::make_unique<Impl>(seed, std::move(scenario))) {}
World::~World() = default;

std::uint64_t World::seed() const {
  return impl_->seed;
}
Instant World::now() const {
  return impl_->now;
}
std::int64_t World::unix_time() const {
  return kUnixTimeBegin + (impl_->now - kBegin).ns / 1'000'000'000;
}
const Stats& World::stats() const {
  return impl_->stats;
}
std::uint64_t World::trace_hash() const {
  return impl_->trace.hash();
}

// --- hosts

HostId World::add_host() {
  return impl_->network.add_host();
}

Result<HostId> World::add_host(const std::vector<std::string>& addresses) {
  std::vector<IpAddress> parsed;
  for (const std::string& text : addresses) {
    const auto ip = IpAddress::parse(text);
    if (!ip) return p2pa::fail(Code::kInvalidArgument, "host: not an IP address");
    parsed.push_back(*ip);
  }
  return impl_->network.add_host(parsed);
}

std::vector<std::string> World::addresses(HostId host) const {
  std::vector<std::string> out;
  for (const IpAddress& ip : impl_->network.addresses(host)) out.push_back(ip.to_string());
  return out;
}

Result<void> World::change_address(HostId host, const std::string& address) {
  const auto ip = IpAddress::parse(address);
  if (!ip) return p2pa::fail(Code::kInvalidArgument, "host: not an IP address");
  return impl_->network.change_address(host, *ip);
}

void World::tell_interfaces(HostId host) {
  for (NodeId id = 0; id < impl_->slots.size(); ++id) {
    if (impl_->slots[id].host == host && impl_->slots[id].node) {
      impl_->call_node(id, [](Node& node) { node.core().interfaces_changed(); });
    }
  }
}

Result<void> World::rebind(HostId host, const std::string& address) {
  std::optional<IpAddress> outer;
  if (!address.empty()) {
    const auto ip = IpAddress::parse(address);
    if (!ip) return p2pa::fail(Code::kInvalidArgument, "host: not an IP address");
    outer = *ip;
  }
  auto rebound = impl_->network.rebind(host, outer);
  if (rebound) impl_->tcp.rebind(host);
  return rebound;
}

// --- names

Result<void> World::set_dns(const std::string& name, DnsRecord type, const std::vector<std::string>& values) {
  return impl_->name_server.set(name, type, values);
}
void World::set_dns_options(const DnsOptions& options) {
  impl_->name_server.set_options(options);
}

// --- links

void World::set_default_link(const LinkOptions& options) {
  impl_->network.default_link() = options;
}

void World::set_link(HostId a, HostId b, const LinkOptions& options) {
  set_link_one_way(a, b, options);
  set_link_one_way(b, a, options);
}

void World::set_link_one_way(HostId from, HostId to, const LinkOptions& options) {
  impl_->network.link(from, to).options = std::make_unique<LinkOptions>(options);
}

void World::partition(HostId a, HostId b) {
  impl_->network.link(a, b).cut = true;
  impl_->network.link(b, a).cut = true;
}

void World::heal(HostId a, HostId b) {
  impl_->network.link(a, b).cut = false;
  impl_->network.link(b, a).cut = false;
}

// --- nodes

NodeId World::add_node(NodeOptions options, HostId host) {
  return impl_->add_node(std::move(options), host);
}
std::size_t World::nodes_count() const {
  return impl_->slots.size();
}
bool World::alive(NodeId node) const {
  return impl_->slots.at(node).node != nullptr;
}
HostId World::host(NodeId node) const {
  return impl_->slots.at(node).host;
}

Node& World::node(NodeId node) {
  P2PA_ASSERT(alive(node));
  if (impl_->in_turn) impl_->call_node(node, [](Node&) {});  // whatever is asked of it now
  return *impl_->slots[node].node;
}

Multiaddr World::address(NodeId node) {
  const auto listens = [this, node] {
    return alive(node) && !impl_->slots[node].node->addresses().empty();
  };
  if (!impl_->in_turn) run_until(listens, kListenTimeout);
  P2PA_ASSERT(listens());
  return impl_->slots[node].node->addresses().front();
}

void World::kill(NodeId node) {
  impl_->kill(node);
}
void World::restart(NodeId node, NodeOptions options) {
  impl_->start(node, std::move(options));
}

ByteView World::file(HostId host, const std::string& path) const {
  const auto it = impl_->files.find({host, path});
  return it == impl_->files.end() ? ByteView{} : ByteView(it->second);
}

void World::write_file(HostId host, const std::string& path, ByteView bytes) {
  impl_->files[{host, path}] = Bytes(bytes.begin(), bytes.end());
}

// --- running

bool World::run_until(std::move_only_function<bool()> done, Duration limit) {
  return impl_->run_until(done, limit);
}

void World::run_for(Duration duration) {
  std::move_only_function<bool()> never = [] { return false; };
  impl_->run_until(never, duration);
}

void World::after(Duration delay, std::move_only_function<void()> fn) {
  impl_->call(now() + delay, [this, fn = std::move(fn)]() mutable {
    fn();
    impl_->settle();
  });
}

// --- looking on

void World::on_datagram(std::move_only_function<bool(const Datagram&)> filter) {
  impl_->network.on_datagram(std::move(filter));
}

void World::inject(HostId from, std::uint16_t from_port, HostId to, std::uint16_t to_port,
                   ByteView bytes) {
  impl_->network.inject(now(), from, from_port, to, to_port, bytes);
}

RawTcpId World::open_tcp(HostId from, HostId to, std::uint16_t to_port) {
  return impl_->raw_tcp.open(now(), from, {impl_->network.addresses(to).at(0), to_port, 0});
}

void World::write_tcp(RawTcpId connection, ByteView bytes) { impl_->raw_tcp.write(now(), connection, bytes); }

Bytes World::take_tcp(RawTcpId connection) { return impl_->raw_tcp.take(connection); }

bool World::tcp_alive(RawTcpId connection) const { return impl_->raw_tcp.alive(connection); }

void World::on_node_event(std::move_only_function<void(NodeId, const NodeEvent&)> tap) {
  impl_->event_tap = std::move(tap);
}

void World::note(const std::string& line) {
  impl_->trace_note(line);
}

void World::on_trace(std::move_only_function<void(const std::string&)> tap) {
  impl_->trace_tap = std::move(tap);
}

void World::on_turn(std::move_only_function<void(NodeId)> hook) {
  impl_->turn_hook = std::move(hook);
}

void World::check() {
  impl_->settle();
  for (NodeId id = 0; id < impl_->slots.size(); ++id) {
    const auto& node = impl_->slots[id].node;
    if (node && node->core().next_deadline() < now()) {
      fail("node " + std::to_string(id) + " has a deadline in the past");
    }
  }
}

void World::fail(const std::string& why) {
  impl_->fail(why);
}
const std::string& World::failure() const {
  return impl_->failure;
}

}  // namespace p2pa::sim
