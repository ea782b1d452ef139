#pragma once
// Faults injected at the library's inner entries, in test builds only (P2PA_FAULT_INJECTION).

#ifdef P2PA_FAULT_INJECTION
namespace p2pa::capi {
/// Provided by the test: counts, and throws when its turn has come.
void fault_point();
}  // namespace p2pa::capi
#define P2PA_FAULT_POINT() ::p2pa::capi::fault_point()
#else
#define P2PA_FAULT_POINT() static_cast<void>(0)
#endif
