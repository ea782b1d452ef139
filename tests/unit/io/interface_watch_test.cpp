#include "io/interface_watch.hpp"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace p2pa::io {
namespace {

/// A descriptor on which the test speaks for the kernel.
struct Messages {
  Messages() { REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0); }
  ~Messages() { ::close(ends[1]); }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  void say() const { REQUIRE(::write(ends[1], "x", 1) == 1); }

  std::array<int, 2> ends{};
};

constexpr Instant kBegin{1'000'000'000};

}  // namespace

TEST_CASE("what the kernel says is one change, however much it is") {
  const auto loop = UvLoop::make().value();
  const Messages messages;
  InterfaceWatch watch(*loop, messages.ends[0], kBegin);
  CHECK(watch.next_deadline() == kNever);
  loop->collect();
  CHECK_FALSE(watch.changed(kBegin));
  for (int i = 0; i < 3; ++i) messages.say();
  loop->collect();
  CHECK(watch.changed(kBegin));
  loop->collect();
  CHECK_FALSE(watch.changed(kBegin));
  messages.say();
  loop->collect();
  CHECK(watch.changed(kBegin));
}

TEST_CASE("without messages it is worth a look every few seconds") {
  const auto loop = UvLoop::make().value();
  InterfaceWatch watch(*loop, -1, kBegin);
  CHECK(watch.next_deadline() == kBegin + kInterfacesLook);
  CHECK_FALSE(watch.changed(kBegin + seconds(4)));
  CHECK(watch.changed(kBegin + kInterfacesLook));
  CHECK_FALSE(watch.changed(kBegin + seconds(9)));
  CHECK(watch.next_deadline() == kBegin + kInterfacesLook * 2);
}

#ifdef __linux__
TEST_CASE("the system's messages can be listened to") {
  const auto loop = UvLoop::make().value();
  const int messages = open_interface_messages();
  REQUIRE(messages >= 0);
  InterfaceWatch watch(*loop, messages, kBegin);
  CHECK(watch.next_deadline() == kNever);
}
#endif

}  // namespace p2pa::io
