#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

int32_t p2pa_node_open_channel(p2pa_node node, const p2pa_peer* peer, const p2pa_channel_options* options,
                               p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    p2pa_channel_options in;
    if (const Status status = read_struct(options, in); status < 0) return status;
    if (!who || op == nullptr || in.deadline_us < 0) return P2PA_E_INVALID_ARGUMENT;
    MessageChannelOptions out;
    out.deadline = microseconds(in.deadline_us);
    if (in.repair_percent_max > 100 || (in.no_repair != 0 && in.no_repair != 1)) return P2PA_E_INVALID_ARGUMENT;
    if (in.repair_percent_max != 0) out.repair_max = in.repair_percent_max / 100.0;
    if (in.no_repair == 1) out.repair_max = 0;
    return host.channels.open(*who, out, &op->v);
  });
}

int32_t p2pa_channel_send(p2pa_channel channel, const uint8_t* data, size_t data_size) noexcept {
  return with_owner(channel.v, [&](Host& host) -> Status {
    ByteView bytes;
    if (!read_bytes(data, data_size, bytes)) return P2PA_E_INVALID_ARGUMENT;
    return host.channels.send(channel.v, bytes);
  });
}

int32_t p2pa_channel_close(p2pa_channel channel) noexcept {
  return with_owner(channel.v, [&](Host& host) { return host.channels.close(channel.v); });
}

int32_t p2pa_channel_info(p2pa_channel channel, p2pa_channel_stats* stats) noexcept {
  return with_owner(channel.v, [&](Host& host) -> Status {
    if (!writable(stats)) return P2PA_E_INVALID_ARGUMENT;
    p2pa_channel_stats out;
    p2pa_channel_stats_init(&out);
    if (const Status status = host.channels.stats(channel.v, out); status < 0) return status;
    write_struct(out, stats);
    return P2PA_OK;
  });
}
