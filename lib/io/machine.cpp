#include "io/machine.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace p2pa::io {

Machine machine() {
#if defined(__x86_64__)
  // Not by __builtin_cpu_supports(), which would have code run when the library is loaded.
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return {};
  return {.aes = (ecx & bit_AES) != 0 && (ecx & bit_PCLMUL) != 0};
#elif defined(__linux__) && defined(__aarch64__)
  const unsigned long has = getauxval(AT_HWCAP);
  return {.aes = (has & HWCAP_AES) != 0 && (has & HWCAP_PMULL) != 0};
#else
  return {};  // what we cannot ask is taken to be slow
#endif
}

}  // namespace p2pa::io
