// A flood of handshakes from ten thousand addresses that are not the sender's, beside honest traffic, over QUIC
// and over UDP sessions. Nothing in the world takes time but links, so what costs a node work is counted: an
// honest handshake needs a signature and a few Diffie-Hellmans, a spoofed one may not.

#include <algorithm>
#include <catch2/catch.hpp>

#include "honest_work.hpp"
#include "node/core.hpp"
#include "resource/manager.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/udp/packet_codec.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::size_t kAddresses = 10'000, kOpenings = 2 * kAddresses;
constexpr std::uint16_t kPort = 4001, kAttackersPort = 40'000;
// 10,000 datagrams a second, 96 Mbit/s of them: five times what the honest link carries.
constexpr Duration kTick = milliseconds(1);
constexpr std::size_t kOpeningsPerTick = 10;

/// What each spoofed address sent, and what it was sent for that.
class Flood {
 public:
  /// `opening`: the n-th datagram.
  using Opening = std::function<Bytes(std::size_t n)>;

  Flood(World& world, HonestWork& work)
      : thief(world.add_host()), world_(world), work_(work), first_(world.add_host()) {
    for (std::size_t i = 1; i < kAddresses; ++i) world.add_host();
    sent_.resize(kAddresses);
    answered_.resize(kAddresses);
    world.on_datagram([this](const Datagram& datagram) {
      if (spoofed(datagram.from)) sent_[datagram.from - first_] += datagram.bytes.size();
      if (spoofed(datagram.to)) answered_[datagram.to - first_] += datagram.bytes.size();
      if (on_answer && datagram.from == work_.server_host() && datagram.to == thief) {
        on_answer(Bytes(datagram.bytes.begin(), datagram.bytes.end()));
      }
      return true;
    });
  }

  void begin(Opening opening) {
    opening_ = std::move(opening);
    tick();
  }
  /// From an address that is the attacker's own: what it is answered goes to on_answer.
  void send_openly(ByteView bytes) {
    world_.inject(thief, kAttackersPort, work_.server_host(), kPort, bytes);
  }

  std::size_t sent() const { return total(sent_); }
  std::size_t answered() const { return total(answered_); }
  bool each_got_at_most(std::size_t times) const {
    for (std::size_t i = 0; i < kAddresses; ++i) {
      if (answered_[i] > times * sent_[i]) return false;
    }
    return true;
  }
  std::size_t count() const { return count_; }
  std::uint32_t handshakes_most() const { return handshakes_most_; }
  std::size_t memory_most() const { return memory_most_; }

  const HostId thief;
  std::function<void(const Bytes&)> on_answer;

 private:
  bool spoofed(HostId host) const { return host >= first_ && host < first_ + kAddresses; }
  static std::size_t total(const std::vector<std::size_t>& bytes) {
    std::size_t sum = 0;
    for (const std::size_t n : bytes) sum += n;
    return sum;
  }
  void tick() {
    for (std::size_t i = 0; i < kOpeningsPerTick && count_ < kOpenings; ++i, ++count_) {
      const auto from = static_cast<HostId>(first_ + count_ % kAddresses);
      world_.inject(from, kAttackersPort, work_.server_host(), kPort, opening_(count_));
    }
    const LimitUsage usage = work_.usage();
    handshakes_most_ = std::max(handshakes_most_, usage.handshakes);
    memory_most_ = std::max(memory_most_, usage.memory);
    if (count_ < kOpenings) world_.after(kTick, [this] { tick(); });
  }

  World& world_;
  HonestWork& work_;
  const HostId first_;
  Opening opening_;
  std::size_t count_ = 0;
  std::vector<std::size_t> sent_, answered_;
  std::uint32_t handshakes_most_ = 0;
  std::size_t memory_most_ = 0;
};

std::uint64_t handshakes_begun(World& world, NodeId node) {
  return world.node(node).core().resources().handshakes_begun();
}

/// A QUIC dialer whose datagrams go where the test likes.
class QuicDialer {
 public:
  explicit QuicDialer(std::uint8_t seed)
      : key_(KeyPair::from_seed(Bytes(32, seed))), rng_(Bytes(32, seed)), endpoint_(key_, rng_, resources_, config()) {
    endpoint_.add_socket(1, {}, false);
  }

  /// The first packet of one more dial.
  Bytes dial(const Multiaddr& server) {
    REQUIRE(endpoint_.dial(World::kBegin, 1, {server, {}, false}));
    return next();
  }
  /// What it says to that.
  Bytes answer(const Multiaddr& server, ByteView datagram) {
    endpoint_.handle(World::kBegin, {1, {}, *quic_endpoint(server), Ecn::kNone, datagram.size(), datagram});
    return next();
  }

 private:
  static quic::Config config() {
    quic::Config out;
    out.unix_time = World::kUnixTimeBegin;
    return out;
  }
  Bytes next() {
    Bytes buffer(65'536);
    Transmit out;
    if (!endpoint_.poll_transmit(World::kBegin, buffer, {1}, out)) return {};
    buffer.resize(out.size);
    return buffer;
  }

  KeyPair key_;
  Rng rng_;
  resource::Manager resources_{Limits{}};
  quic::Endpoint endpoint_;
};

std::function<NodeOptions(World&)> on(const char* address) {
  return [address](World&) { return listening(address); };
}

}  // namespace

TEST_CASE("ten thousand spoofed addresses that open UDP sessions cost honest peers nothing", "[udp]") {
  check_goodput("a flood of INITIALs", on("/ip4/0.0.0.0/udp/4001/p2pa-udp"), [](World& world, HonestWork& work) {
    const auto flood = std::make_shared<Flood>(world, work);
    // A cookie that was given to somebody, and is shown by everybody.
    const auto stolen = std::make_shared<Bytes>();
    flood->on_answer = [stolen](const Bytes& answer) {
      if (const auto cookie = udp::decode_cookie(answer)) stolen->assign(cookie->cookie.begin(), cookie->cookie.end());
    };
    constexpr udp::Cid kThief = 0x7777;
    flood->send_openly(encode(udp::InitialPacket{kThief, {}, pattern(udp::kFirstMessageSize, 1)}));
    world.run_for(milliseconds(100));
    REQUIRE(stolen->size() == udp::kCookieSize);
    const std::uint64_t begun = handshakes_begun(world, work.server());
    flood->begin([stolen](std::size_t n) -> Bytes {
      const auto salt = static_cast<std::uint32_t>(n);
      const Bytes message = pattern(udp::kFirstMessageSize, salt), forged = pattern(udp::kCookieSize, salt);
      switch (n % 10) {
        case 0: return pattern(udp::kInitialSize, salt);                                // garbage
        case 1: return encode(udp::InitialPacket{kThief, *stolen, message});
        case 2: return encode(udp::InitialPacket{n, forged, message});
        case 3: return encode(udp::FinishPacket{n, pattern(200, salt)});                // of no session
        case 4: {
          Bytes shorter = encode(udp::InitialPacket{n, {}, message});
          shorter.pop_back();                                                           // an answer would amplify
          return shorter;
        }
        default: return encode(udp::InitialPacket{n, {}, message});
      }
    });
    return [&world, &work, flood, begun] {
      CHECK(flood->count() > kAddresses);
      CHECK(flood->each_got_at_most(1));
      CHECK(flood->answered() * 20 < flood->sent());
      // Not one of them cost a Diffie-Hellman, or is remembered.
      CHECK(handshakes_begun(world, work.server()) - begun == HonestWork::kNewcomers);
      CHECK(flood->handshakes_most() <= HonestWork::kNewcomers);
      CHECK(flood->memory_most() < 4 << 20);  // most of it is the honest bulk
      const std::size_t tenth = flood->count() / 10 - kOpeningsPerTick * 50;  // some are on their way
      CHECK(work.dropped(DropCounters::kAddressUnproven) > 5 * tenth);
      CHECK(work.dropped(DropCounters::kProofRefused) > 2 * tenth);
      CHECK(work.dropped(DropCounters::kUnknown) > tenth);
      CHECK(work.dropped(DropCounters::kMalformed) > 2 * tenth * 9 / 10);
      world.run_for(seconds(12));
      CHECK(work.usage().handshakes == 0);
      CHECK(world.node(work.server()).connections().size() == 1 + HonestWork::kNewcomers);
    };
  });
}

TEST_CASE("ten thousand spoofed addresses that open QUIC connections cost honest peers nothing") {
  check_goodput("a flood of Initials", on("/ip4/0.0.0.0/udp/4001/quic-v1"), [](World& world, HonestWork& work) {
    const auto flood = std::make_shared<Flood>(world, work);
    const Multiaddr address = world.node(work.server()).addresses().at(0);
    const auto thief = std::make_shared<QuicDialer>(90);
    // As many good first packets as would fill all places for handshakes, and then some.
    constexpr std::size_t kGood = 300;
    const auto good = std::make_shared<std::vector<Bytes>>();
    for (std::size_t i = 0; i < kGood; ++i) good->push_back(thief->dial(address));
    // While the node asks everybody for proof, the thief gets some that everybody shows.
    const auto stolen = std::make_shared<Bytes>();
    flood->on_answer = [=](const Bytes& answer) {
      constexpr std::uint8_t kRetry = 0xf0;
      if (stolen->empty() && (answer[0] & 0xf0) == kRetry) *stolen = thief->answer(address, answer);
    };
    world.after(milliseconds(500), [flood, thief, address] { flood->send_openly(thief->dial(address)); });
    const std::uint64_t begun = handshakes_begun(world, work.server());
    flood->begin([good, stolen](std::size_t n) -> Bytes {
      Bytes packet = (*good)[n % kGood];
      switch (n % 10) {
        case 0: return pattern(1200, static_cast<std::uint32_t>(n));
        case 1:
        case 2: return stolen->empty() ? packet : *stolen;
        case 3:
        case 4:  // of another id, by which it cannot be read; that is seen late
          for (std::size_t i = 0; i < 4; ++i) packet[6 + i] ^= static_cast<std::uint8_t>(n >> (8 * i));
          return packet;
        default: return packet;
      }
    });
    return [&world, &work, flood, begun] {
      CHECK(flood->count() > kAddresses);
      CHECK(flood->each_got_at_most(3));  // RFC 9000 §8.1
      CHECK(flood->answered() < flood->sent());
      // Those that nobody proved have half of the places, ten seconds each, and few are looked at in vain.
      const Limits limits;
      constexpr std::uint64_t kSeconds = 5;
      CHECK(handshakes_begun(world, work.server()) - begun <=
            limits.handshakes_max / 2 + kSeconds * quic::Endpoint::kUselessFirstsMax + HonestWork::kNewcomers + 1);
      CHECK(flood->handshakes_most() <= limits.handshakes_max / 2 + HonestWork::kNewcomers + 1);
      CHECK(flood->memory_most() < 4 << 20);  // most of it is the honest bulk
      CHECK(work.dropped(DropCounters::kAddressUnproven) > flood->count() / 4);
      CHECK(work.dropped(DropCounters::kProofRefused) > flood->count() / 10);
      CHECK(work.dropped(DropCounters::kHandshakeFailed) > 0);
      world.run_for(seconds(12));
      CHECK(work.dropped(DropCounters::kHandshakeSlow) >= limits.handshakes_max / 2);
      CHECK(work.usage().handshakes == 0);
      CHECK(world.node(work.server()).connections().size() == 1 + HonestWork::kNewcomers);
    };
  });
}
