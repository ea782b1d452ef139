#pragma once
// What UDP and TCP sockets ask of the system alike.

#include "p2pagents/error.hpp"

namespace p2pa::io {

/// A non-blocking socket that no child process inherits; below 0: errno.
int make_socket(int family, int type);
/// The same for one that accept() made, where the system cannot do it in one call.
void make_private(int fd);

/// False: errno.
bool set_option(int fd, int level, int option, int value);

/// kIo, with errno as detail.
std::unexpected<Error> system_failed(const char* why);

}  // namespace p2pa::io
