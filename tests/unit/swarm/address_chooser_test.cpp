#include "swarm/address_chooser.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "p2pagents/key_pair.hpp"
#include "swarm/dial.hpp"

using namespace p2pa;
using namespace p2pa::swarm;
using Source = peerstore::Peerstore::Source;

namespace {

constexpr Instant kStart{1'000};
constexpr Error kSilence{Code::kTimeout, 0, "silence"};

Multiaddr quic(const std::string& ip) { return Multiaddr::parse("/ip4/" + ip + "/udp/1/quic-v1").value(); }
Multiaddr tcp(const std::string& ip) { return Multiaddr::parse("/ip4/" + ip + "/tcp/1").value(); }

std::optional<AddressChooser::Skip> none(const Multiaddr&) { return std::nullopt; }

struct Book {
  const PeerId peer = KeyPair::from_seed(Bytes(32, 7)).peer_id();
  peerstore::Peerstore store;
  AddressChooser chooser{store, DialPrivate::kSameSubnet};
  bool tcp_works = true;

  Book() { chooser.set_interfaces({{IpAddress::parse("192.168.1.7").value(), 24}}); }
  void know(const Multiaddr& address, Source source = Source::kPeer) { store.add_address(peer, address, source); }
  AddressChooser::Choice choose(std::vector<Multiaddr> named = {}, bool force = false, Instant now = kStart) {
    const auto refuses = [this](const Multiaddr& a) -> std::optional<AddressChooser::Skip> {
      if (tcp_works || !a.has(Multiaddr::Protocol::kTcp)) return std::nullopt;
      return AddressChooser::Skip{a, DialStage::kSkippedNoTransport, {Code::kUnsupported, 0, "no TCP"}};
    };
    const auto out = chooser.choose(now, {.peer = peer, .named = std::move(named), .force = force}, refuses);
    REQUIRE(out.has_value());
    return *out;
  }
};

using List = std::vector<Multiaddr>;

}  // namespace

TEST_CASE("what somebody named comes first, then what worked last, then the best of the rest") {
  Book book;
  for (const auto& address : {tcp("8.8.0.1"), tcp("8.8.0.2"), quic("8.8.0.1")}) book.know(address);
  book.store.mark_good(book.peer, tcp("8.8.0.2"));
  CHECK(book.choose().wanted == List{tcp("8.8.0.2"), quic("8.8.0.1"), tcp("8.8.0.1")});
  CHECK(book.choose({tcp("8.8.0.1"), tcp("8.8.0.9")}).wanted ==
        List{tcp("8.8.0.1"), tcp("8.8.0.9"), tcp("8.8.0.2"), quic("8.8.0.1")});
}

TEST_CASE("an address that failed is skipped with its reason, until the time is over or it worked") {
  Book book;
  book.know(quic("8.8.0.1"));
  book.know(tcp("8.8.0.1"));
  book.chooser.failed(kStart, book.peer, quic("8.8.0.1"), DialStage::kSecuring, {Code::kPeerIdMismatch, 0, "other"});
  const auto choice = book.choose();
  CHECK(choice.wanted == List{tcp("8.8.0.1")});
  CHECK(choice.held_back == List{quic("8.8.0.1")});
  REQUIRE(choice.skipped.size() == 1);
  CHECK(choice.skipped[0].stage == DialStage::kSkippedBackoff);
  CHECK(choice.skipped[0].why.code == Code::kPeerIdMismatch);
  CHECK(book.choose({}, false, kStart + kBackoffBase).wanted.size() == 2);
  book.chooser.worked(book.peer, quic("8.8.0.1"));
  CHECK(book.choose().wanted.size() == 2);
}

TEST_CASE("an address in back-off is tried when it is named, or last when the dial is forced") {
  Book book;
  book.know(quic("8.8.0.1"));
  book.know(tcp("8.8.0.1"));
  book.chooser.failed(kStart, book.peer, quic("8.8.0.1"), DialStage::kConnecting, kSilence);
  const auto named = book.choose({quic("8.8.0.1")});
  CHECK(named.wanted == List{quic("8.8.0.1"), tcp("8.8.0.1")});
  CHECK(named.skipped.empty());
  const auto forced = book.choose({}, true);
  CHECK(forced.wanted == List{tcp("8.8.0.1"), quic("8.8.0.1")});
  CHECK(forced.skipped.empty());
}

TEST_CASE("an address that the host gave is soon tried again, however often it failed") {
  Book book;
  book.know(tcp("8.8.0.1"), Source::kHost);
  book.know(tcp("8.8.0.2"));
  for (int i = 0; i < 10; ++i) {
    for (const char* ip : {"8.8.0.1", "8.8.0.2"}) {
      book.chooser.failed(kStart, book.peer, tcp(ip), DialStage::kConnecting, kSilence);
    }
  }
  CHECK(book.choose({}, false, kStart + kHostBackoff - Duration{1}).wanted.empty());
  CHECK(book.choose({}, false, kStart + kHostBackoff).wanted == List{tcp("8.8.0.1")});
}

TEST_CASE("what a name stands for is as soon tried again as the name") {
  Book book;
  const auto of_host = Multiaddr::parse("/dns4/a.example/tcp/1").value();
  const auto of_peer = Multiaddr::parse("/dns4/b.example/tcp/1").value();
  book.know(of_host, Source::kHost);
  book.know(of_peer);
  book.chooser.failed(kStart, book.peer, tcp("8.8.0.1"), DialStage::kConnecting, kSilence);
  const Instant later = kStart + kHostBackoff;
  const AddressChooser::Wish wish{.peer = book.peer, .named = {}};
  CHECK(book.chooser.choose_of_name(later, wish, of_host, {tcp("8.8.0.1")}, none).wanted.size() == 1);
  CHECK(book.chooser.choose_of_name(later, wish, of_peer, {tcp("8.8.0.1")}, none).wanted.empty());
}

TEST_CASE("failures at one peer say nothing of a dial to whoever answers") {
  Book book;
  book.chooser.failed(kStart, {}, quic("8.8.0.1"), DialStage::kConnecting, kSilence);
  const auto choice =
      book.chooser.choose(kStart, {.peer = {}, .named = {quic("8.8.0.1")}}, none);
  REQUIRE(choice.has_value());
  CHECK(choice->wanted == List{quic("8.8.0.1")});
}

TEST_CASE("what a peer claims of private networks is filtered, what the host gave or named is not") {
  Book book;
  book.know(tcp("10.0.0.1"));
  book.know(tcp("10.0.0.2"), Source::kHost);
  book.know(tcp("192.168.1.9"));
  const auto choice = book.choose();
  CHECK(choice.wanted == List{tcp("10.0.0.2"), tcp("192.168.1.9")});
  REQUIRE(choice.skipped.size() == 1);
  CHECK(choice.skipped[0].stage == DialStage::kSkippedPrivate);
  CHECK(choice.skipped[0].address == tcp("10.0.0.1"));
  CHECK(book.choose({}, true).wanted.size() == 2);  // no force opens that door
  CHECK(book.choose({tcp("10.0.0.1")}).wanted.size() == 3);
}

TEST_CASE("a choice that depends on interfaces nobody has listed is put off") {
  Book book;
  AddressChooser fresh(book.store, DialPrivate::kSameSubnet);
  book.know(tcp("8.8.0.1"));
  CHECK(fresh.choose(kStart, {.peer = book.peer, .named = {}}, none).has_value());
  book.know(tcp("10.0.0.1"));
  CHECK_FALSE(fresh.choose(kStart, {.peer = book.peer, .named = {}}, none).has_value());
  fresh.set_interfaces({});
  CHECK(fresh.choose(kStart, {.peer = book.peer, .named = {}}, none)->wanted == List{tcp("8.8.0.1")});
}

TEST_CASE("a blocked kind is skipped, but not when named or forced, and a success in another network clears it") {
  Book book;
  book.know(quic("8.8.0.1"));
  book.know(tcp("8.8.0.1"));
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) book.chooser.was_slower(quic("8.8.0.2"), DialStage::kConnecting);
  const auto choice = book.choose();
  CHECK(choice.wanted == List{tcp("8.8.0.1")});
  REQUIRE(choice.skipped.size() == 1);
  CHECK(choice.skipped[0].stage == DialStage::kSkippedBlackHole);
  CHECK(book.choose({quic("8.8.0.1")}).wanted.size() == 2);
  CHECK(book.choose({}, true).wanted == List{tcp("8.8.0.1"), quic("8.8.0.1")});
  book.chooser.failed(kStart, book.peer, tcp("8.8.0.1"), DialStage::kConnecting, kSilence);
  book.chooser.set_interfaces({{IpAddress::parse("8.8.4.4").value(), 24}});
  CHECK(book.choose().wanted.size() == 2);  // neither a black hole nor a back-off
}

TEST_CASE("whoever answers, be it to refuse, shows that the kind gets through") {
  Book book;
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) {
    book.chooser.failed(kStart, book.peer, quic("8.8.0.1"), DialStage::kSecuring, {Code::kHandshake, 0, "no"});
  }
  CHECK(book.chooser.black_holes().udp().state() == BlackHoleDetector::State::kPasses);
}

TEST_CASE("addresses that are refused, though named, and those over the bound are skipped and told") {
  Book book;
  book.tcp_works = false;
  book.know(tcp("8.8.0.1"));
  auto choice = book.choose();
  REQUIRE(choice.skipped.size() == 1);
  CHECK(choice.skipped[0].stage == DialStage::kSkippedNoTransport);
  CHECK(choice.skipped[0].why.code == Code::kUnsupported);
  CHECK(book.choose({tcp("8.8.0.1")}).wanted.empty());
  for (int i = 0; i < static_cast<int>(kDialAddressesMax); ++i) book.know(quic("8.8.1." + std::to_string(i)));
  book.know(quic("8.8.2.1"));
  choice = book.choose();
  CHECK(choice.wanted.size() == kDialAddressesMax);
  CHECK(std::ranges::count(choice.skipped, DialStage::kSkippedLimit, &AddressChooser::Skip::stage) == 1);
}
