#include "address/ip_range.hpp"
#include "base/assert.hpp"
#include "shaping/shaper.hpp"
#include "swarm/gater.hpp"

using namespace p2pa;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(ByteView(data, size)));
  if (const auto range = IpRange::parse(text)) P2PA_ASSERT(IpRange::parse(range->to_string()) == *range);
  const auto rule = swarm::parse_gate_rule(text);
  // What names a peer or a protocol to a rule names it to a limit.
  const bool range_alone = rule && std::holds_alternative<IpRange>(*rule);
  P2PA_ASSERT(shaping::parse_scope(text).has_value() == (text.empty() || (rule && !range_alone)));
  if (!rule) return 0;
  swarm::Gater gater;
  gater.deny(*rule);
  P2PA_ASSERT(gater.allow(*rule).has_value() != std::holds_alternative<std::string>(*rule));
  if (const auto* peer = std::get_if<PeerId>(&*rule)) P2PA_ASSERT(!gater.peer(*peer));
  P2PA_ASSERT(gater.forget(*rule));
  P2PA_ASSERT(!gater.forget(*rule));
  return 0;
}
