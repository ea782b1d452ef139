// Datagrams of a local network: the first byte chooses the decoders, or a machine that is given a script of
// datagrams, each a length, where it came and a datagram, open or of a private network.
#include <algorithm>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "lan/lan.hpp"
#include "lan/packet_codec.hpp"

using namespace p2pa;

namespace {

constexpr Instant kBegin{1'000'000'000};
const IpAddress kSelf{{10, 0, 0, 1}, false};

/// What a header says is the same when it is written again; bodies are only taken apart.
void decode(ByteView datagram) {
  const auto header = lan::decode_header(datagram);
  if (!header) return;
  Bytes again;
  lan::append_header(again, *header);
  P2PA_ASSERT(std::ranges::equal(again, datagram.first(lan::kHeaderBytes)));
  const ByteView body = datagram.subspan(lan::kHeaderBytes);
  if (const auto message = lan::decode_message(body)) {
    P2PA_ASSERT(!message->topic.empty() && message->topic.size() <= kLanTopicBytesMax);
    (void)lan::verify(*header, body, message->by);
  }
  if (const auto proof = lan::decode_proof(body)) (void)lan::verify(*header, body, proof->by);
  if (const auto challenge = lan::decode_challenge(body)) {
    Bytes same;
    lan::append_challenge(same, *challenge, body.size());
    P2PA_ASSERT(std::ranges::equal(same, body));
  }
}

void run(fuzz::Input input, bool is_private) {
  const KeyPair key = KeyPair::from_seed(Bytes(KeyPair::kSeedSize, 1));
  Rng rng(Bytes(32, 2));
  std::optional<PreSharedKey> secret;
  if (is_private) secret = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 3));
  lan::Lan machine(key, {}, secret, rng, kBegin, [](const PeerId&, const IpAddress&) -> Result<void> { return {}; },
                   [](const LanMessage& message) { P2PA_ASSERT(message.topic == "t"); });
  machine.set_interfaces({{kSelf, 24}});
  machine.set_group_socket(false, 1);
  machine.set_own_socket(false, 2);
  machine.set_ready();
  (void)machine.join("t");
  Instant now = kBegin;
  Bytes buffer(2000);
  Transmit transmit;
  while (!input.empty()) {
    const std::uint8_t where = input.byte();
    const std::size_t size = std::size_t{input.byte()} * 8 + where % 8;
    const ByteView bytes = input.take(size);
    const bool own = (where & 8) != 0;
    const IpEndpoint local{own ? kSelf : lan::group(false), 4010, 0};
    const IpEndpoint remote{IpAddress{{10, 0, 0, where}, false}, 9, 0};
    machine.handle(now, {own ? 2u : 1u, local, remote, Ecn::kNone, bytes.size(), bytes});
    now = now + milliseconds(where);
    if (machine.next_deadline() <= now) machine.on_deadline(now);
    machine.turn();
    while (machine.poll_transmit(buffer, transmit)) P2PA_ASSERT(transmit.size <= lan::kPacketBytesMax);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const std::uint8_t choice = input.byte();
  if (choice % 3 == 0) {
    decode(input.take(size));
  } else {
    run(input, choice % 3 == 1);
  }
  return 0;
}
