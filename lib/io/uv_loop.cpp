#include "io/uv_loop.hpp"

#include <poll.h>

#include <ctime>

#include "base/assert.hpp"

namespace p2pa::io {
namespace {

std::unexpected<Error> uv_failed(int status, const char* why) {
  return fail(Code::kIo, why, static_cast<std::uint64_t>(-status));
}

void on_ready(uv_poll_t* handle, int status, int events) {
  auto* const watch = static_cast<Watch*>(handle->data);
  // An error condition is read from the descriptor itself.
  watch->readable |= status < 0 || (events & UV_READABLE) != 0;
  watch->writable |= status < 0 || (events & UV_WRITABLE) != 0;
  watch->failed |= status < 0;  // libuv has stopped watching it
  if (watch->notify != nullptr) watch->notify(watch->owner);
}

void delete_watch(uv_handle_t* handle) {
  const std::unique_ptr<Watch> owner(static_cast<Watch*>(handle->data));
}

}  // namespace

Result<std::unique_ptr<UvLoop>> UvLoop::make() {
  auto out = std::make_unique<UvLoop>();
  out->loop_.data = nullptr;  // not yet a loop: nothing for the destructor to close
  if (const int status = uv_loop_init(&out->loop_); status != 0) {
    return uv_failed(status, "cannot make an event loop");
  }
  out->loop_.data = out.get();
  const auto on_wake = [](uv_async_t* async) {
    static_cast<UvLoop*>(async->data)->woken_.store(false, std::memory_order_release);
  };
  out->async_.data = out.get();
  if (const int status = uv_async_init(&out->loop_, &out->async_, on_wake); status != 0) {
    out->async_.data = nullptr;
    return uv_failed(status, "cannot make a wake-up descriptor");
  }
  return out;
}

UvLoop::~UvLoop() {
  if (loop_.data == nullptr) return;
  if (async_.data != nullptr) uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);  // the closing callbacks
  const int status = uv_loop_close(&loop_);
  P2PA_ASSERT(status == 0);
}

void UvLoop::wake() {
  if (!woken_.exchange(true, std::memory_order_acq_rel)) uv_async_send(&async_);
}

Result<Watch*> UvLoop::watch(int fd, Watch::Notify notify, void* owner) {
  auto out = std::make_unique<Watch>();
  out->notify = notify;
  out->owner = owner;
  if (const int status = uv_poll_init_socket(&loop_, &out->handle, fd); status != 0) {
    return uv_failed(status, "cannot watch the socket");
  }
  out->handle.data = out.get();
  want_writable(out.get(), false);
  return out.release();
}

void UvLoop::unwatch(Watch* watch) {
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->handle), delete_watch);
  stale_ = true;
}

void UvLoop::want(Watch* watch, bool readable, bool writable) {
  watch->writable = watch->failed = false;
  uv_poll_start(&watch->handle, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_ready);
  stale_ = true;
}

bool UvLoop::wait(Duration timeout) {
  pollfd descriptor{fd(), POLLIN, 0};
#ifdef __linux__
  const timespec time{static_cast<time_t>(timeout.ns / 1'000'000'000),
                      static_cast<long>(timeout.ns % 1'000'000'000)};
  return ::ppoll(&descriptor, 1, &time, nullptr) > 0;
#else
  constexpr std::int64_t kLongestMs = 1 << 30;
  const std::int64_t ms = timeout.ms() < kLongestMs ? timeout.ms() + 1 : kLongestMs;
  return ::poll(&descriptor, 1, static_cast<int>(ms)) > 0;
#endif
}

void UvLoop::collect() {
  stale_ = false;
  uv_run(&loop_, UV_RUN_NOWAIT);
}

}  // namespace p2pa::io
