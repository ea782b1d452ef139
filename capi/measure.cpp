#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {
template <class T>
Error error_of(const Result<T>& result) {
  return result ? Error{Code::kOk, 0, ""} : result.error();
}
}  // namespace

int32_t p2pa_node_ping(p2pa_node node, const p2pa_peer* peer, p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    if (!who || op == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.operations.begin(
        P2PA_EVENT_PING_DONE, *who, 0, &op->v, [&host, who](Node& running, std::uint64_t id) {
          running.ping(*who, [&host, id](Result<Duration> rtt) {
            host.in_turn([&] {
              host.operations.complete(id, error_of(rtt), [&](Event& event) {
                if (rtt) event.duration_ns = rtt->ns;
              });
            });
          });
        });
  });
}

int32_t p2pa_node_perf(p2pa_node node, const p2pa_peer* peer, uint64_t upload, uint64_t download,
                       p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    if (!who || op == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.operations.begin(
        P2PA_EVENT_PERF_DONE, *who, 0, &op->v,
        [&host, who, upload, download](Node& running, std::uint64_t id) {
          running.perf(*who, upload, download, [&host, id](Result<PerfResult> result) {
            host.in_turn([&] {
              host.operations.complete(id, error_of(result), [&](Event& event) {
                if (!result) return;
                event.bytes_up = result->bytes_up;
                event.bytes_down = result->bytes_down;
                event.upload_ns = result->upload.ns;
                event.download_ns = result->download.ns;
              });
            });
          });
        });
  });
}
