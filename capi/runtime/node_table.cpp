#include "runtime/node_table.hpp"

#include <atomic>

namespace p2pa::capi {

namespace {

/// A handle is the place of its node in this table (16 bits, counted from 1) and a number (48 bits)
/// that the place counts up and never begins again, so no handle is given twice: a place used at a
/// million handles a second lasts nine years.
constexpr int kNumberBits = 48;
constexpr std::uint64_t kNumbersUsedUp = std::uint64_t{1} << (kNumberBits - 1);

struct Place {
  Host* host = nullptr;
  std::atomic<std::uint64_t> used{0};  // numbers
};

/// The library's only state outside of nodes (docs/adr/0007-c-handles.md). Constant-initialised and
/// never destroyed: nothing runs when the library is loaded or unloaded.
constinit std::mutex g_mutex;
constinit Place g_places[kNodesMax];

Place* place_of(std::uint64_t handle) {
  const std::uint64_t number = handle >> kNumberBits;
  return number == 0 || number > kNodesMax ? nullptr : &g_places[number - 1];
}

}  // namespace

Pin Pin::of(std::uint64_t handle) noexcept {
  Place* place = place_of(handle);
  if (place == nullptr) return Pin();
  const std::lock_guard table_lock(g_mutex);
  if (place->host == nullptr) return Pin();
  const Lock lock(place->host->mutex);
  ++place->host->pins;
  return Pin(place->host);
}

Pin Pin::of_node(std::uint64_t handle) noexcept {
  Pin pin = of(handle);
  return pin && pin->handle == handle ? std::move(pin) : Pin();
}

Pin::~Pin() {
  if (host_ == nullptr) return;
  const Lock lock(host_->mutex);
  if (--host_->pins == 0) host_->changed.notify_all();
}

bool enter_table(std::unique_ptr<Host>& host) noexcept {
  const std::lock_guard table_lock(g_mutex);
  for (std::size_t i = 0; i < kNodesMax; ++i) {
    Place& place = g_places[i];
    if (place.host != nullptr || place.used.load() >= kNumbersUsedUp) continue;
    host->place_bits = std::uint64_t{i + 1} << kNumberBits;
    host->numbers_used = &place.used;
    host->handle = host->next_handle();
    place.host = host.release();
    return true;
  }
  return false;
}

Status free_node(std::uint64_t handle) noexcept {
  Host* host = nullptr;
  {
    const Pin pin = Pin::of_node(handle);
    if (!pin) return P2PA_E_STALE_HANDLE;
    if (pin->runner.inside()) return P2PA_E_WRONG_THREAD;
    const std::lock_guard table_lock(g_mutex);
    Place* place = place_of(handle);
    if (place->host != &*pin) return P2PA_E_STALE_HANDLE;  // another thread was faster
    host = std::exchange(place->host, nullptr);
  }
  {
    const Lock lock(host->mutex);
    host->freeing = true;
    host->runner.interrupt();
  }
  (void)host->runner.stop_thread();
  {
    Lock lock(host->mutex);
    host->changed.wait(lock, [&] { return host->pins == 0; });
  }
  delete host;  // tidy-allow: the table owned it, whose places are never destroyed
  return P2PA_OK;
}

}  // namespace p2pa::capi
