// The header is enough for itself in the oldest C++ that hosts of ours use, and for both kinds of user.
#include <p2pagents/p2pagents.h>

static_assert(noexcept(p2pa_node_close(p2pa_node{0})), "nothing is thrown through the C face");
static_assert(sizeof(p2pa_node) == 8, "handles are 64-bit values");
static_assert(sizeof(p2pa_peer) == 48, "a peer id is a value of fixed size");
