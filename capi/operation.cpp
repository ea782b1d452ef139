#include "entry.hpp"

using namespace p2pa::capi;

int32_t p2pa_op_cancel(p2pa_op op) noexcept {
  return with_owner(op.v, [&](Host& host) { return host.operations.cancel(op.v); });
}
