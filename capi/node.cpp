#include "entry.hpp"
#include "options.hpp"

using namespace p2pa;
using namespace p2pa::capi;

int32_t p2pa_node_open(const p2pa_node_options* options, p2pa_node* node,
                       p2pa_error_info* error) noexcept {
  LogSink sink(options);  // before anything can fail, since it must be dropped in every case
  return guarded([&]() -> Status {
    auto read = read_options(options, std::move(sink));
    if (!read) return explain(read.error(), error);
    if (node == nullptr) return explain({Code::kInvalidArgument, 0, "nowhere to put the node"}, error);
    auto host = std::make_unique<Host>(read->limits);
    if (auto opened = host->open(std::move(*read)); !opened) return explain(opened.error(), error);
    Host& entered = *host;
    if (!enter_table(host)) {
      return explain({Code::kLimitMemory, kNodesMax, "too many nodes are open in this process"}, error);
    }
    node->v = entered.handle;
    return P2PA_OK;
  });
}

int32_t p2pa_node_close(p2pa_node node) noexcept {
  return with_node(node, [](Host& host) { return host.close(); });
}

int32_t p2pa_node_free(p2pa_node node) noexcept {
  return guarded([&] { return free_node(node.v); });
}

int32_t p2pa_node_peer(p2pa_node node, p2pa_peer* peer) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (peer == nullptr) return P2PA_E_INVALID_ARGUMENT;
    write_peer(host.self, peer);
    return P2PA_OK;
  });
}
