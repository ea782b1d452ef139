/* Preloaded into a process: SIGKILL before the n-th call that changes a file, n being in P2PA_DIE_AT. So a
 * crash can be had at each point between two steps on the disk, without any timing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static int countdown = -1;

static void step(void) {
  if (countdown < 0) {
    const char *n = getenv("P2PA_DIE_AT");
    countdown = n == NULL ? 0 : atoi(n);
  }
  if (countdown > 0 && --countdown == 0) kill(getpid(), SIGKILL);
}

int open(const char *path, int flags, ...) {
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  if ((flags & O_CREAT) != 0) step();
  return real(path, flags, mode);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  step();
  return real(fd);
}

int link(const char *from, const char *to) {
  int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
  step();
  return real(from, to);
}

int unlink(const char *path) {
  int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
  step();
  return real(path);
}
