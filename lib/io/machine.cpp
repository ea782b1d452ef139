#include "io/machine.hpp"

#if defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace p2pa::io {

Machine machine() {
#if defined(__x86_64__)
  return {.aes = __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0};
#elif defined(__linux__) && defined(__aarch64__)
  const unsigned long has = getauxval(AT_HWCAP);
  return {.aes = (has & HWCAP_AES) != 0 && (has & HWCAP_PMULL) != 0};
#else
  return {};  // what we cannot ask is taken to be slow
#endif
}

}  // namespace p2pa::io
