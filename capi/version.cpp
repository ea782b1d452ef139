#include "entry.hpp"
#include "p2pagents/version.hpp"

using namespace p2pa::capi;

const char* p2pa_version() noexcept { return P2PA_VERSION_TEXT; }

int32_t p2pa_abi_version(uint32_t* major, uint32_t* minor) noexcept {
  if (major == nullptr || minor == nullptr) return P2PA_E_INVALID_ARGUMENT;
  *major = P2PA_ABI_MAJOR;
  *minor = P2PA_ABI_MINOR;
  return P2PA_OK;
}
