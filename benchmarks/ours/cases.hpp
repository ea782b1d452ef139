#pragma once
// What each command does. A case prints its line and gives what stays open until stdin ends.

#include <string_view>

#include "options.hpp"

namespace bench {

void run_server(const Options& options);

using Case = void (*)(const Options&);
/// Against a server.
void bulk(const Options& options);
void pingpong(const Options& options);
void connect(const Options& options);
void idle(const Options& options);
void quiet(const Options& options);
void rpc(const Options& options);
void messages(const Options& options);
void urgent(const Options& options);
void batching(const Options& options);
void compression(const Options& options);
/// Alone.
void start(const Options& options);
void allocations(const Options& options);

}  // namespace bench
