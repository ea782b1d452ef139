/* Raw UDP ping-pong: the floor under every request and response. The contract is in ../README.md. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMessageBytesMax = 60000, kDepthMax = 1024, kReceiveTimeoutMs = 2000 };

struct options {
  long size, rounds, depth, cpu;
};

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int usage(void) {
  fputs("usage: udp_peer server [--cpu N]\n"
        "       udp_peer client IP:PORT pingpong [--size 64] [--rounds 20000] [--depth 1] [--cpu N]\n", stderr);
  return 2;
}

static int parse_options(int count, char** words, struct options* options) {
  const struct { const char* name; long* value; } known[] = {
    {"--size", &options->size}, {"--rounds", &options->rounds}, {"--depth", &options->depth}, {"--cpu", &options->cpu}};
  for (int i = 0; i + 1 < count; i += 2) {
    size_t k = 0;
    while (k < 4 && strcmp(words[i], known[k].name) != 0) ++k;
    if (k == 4) return 0;
    char* end;
    *known[k].value = strtol(words[i + 1], &end, 10);
    if (*end != '\0') return 0;
  }
  return count % 2 == 0 && options->size >= 8 && options->size <= kMessageBytesMax && options->rounds > 0 &&
         options->depth > 0 && options->depth <= kDepthMax;
}

static void pin(long cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((int)cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity");
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_s(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void await_stdin_end(void) {
  char ignored[256];
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
  }
}

static void* echo(void* socket) {
  static char message[kMessageBytesMax];
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(*(int*)socket, message, sizeof message, 0, (struct sockaddr*)&from, &length);
    if (got < 0 && errno != EINTR) die("recvfrom");
    if (got >= 0) sendto(*(int*)socket, message, (size_t)got, 0, (struct sockaddr*)&from, length);
  }
}

static int serve(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, length) != 0) die("bind");
  if (getsockname(fd, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("{\"peer\":\"udp\",\"event\":\"listening\",\"address\":\"127.0.0.1:%d\"}\n", ntohs(address.sin_port));
  fflush(stdout);

  pthread_t thread; /* beside the echo, so that nothing but its two calls is in its way */
  if (pthread_create(&thread, NULL, echo, &fd) != 0) die("pthread_create");
  await_stdin_end();
  printf("{\"peer\":\"udp\",\"event\":\"done\",\"cpu_s\":%.6f}\n", cpu_s());
  return 0;
}

static int compare_i64(const void* a, const void* b) {
  int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

/* Each message carries the time at which it was sent. */
static void send_message(int fd, char* message, long size) {
  int64_t sent_ns = now_ns();
  memcpy(message, &sent_ns, sizeof sent_ns);
  if (send(fd, message, (size_t)size, 0) != size) die("send");
}

static int64_t receive_message(int fd, char* message, long size) {
  ssize_t got = recv(fd, message, kMessageBytesMax, 0);
  if (got != size) die(got < 0 ? "recv (lost?)" : "recv: wrong size");
  int64_t sent_ns;
  memcpy(&sent_ns, message, sizeof sent_ns);
  return now_ns() - sent_ns;
}

static int ping_pong(const char* target, const struct options* options) {
  char ip[64];
  unsigned port;
  if (sscanf(target, "%63[0-9.]:%u", ip, &port) != 2) return usage();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, ip, &address.sin_addr) != 1) return usage();
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct timeval timeout = {.tv_sec = kReceiveTimeoutMs / 1000};
  if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) != 0) die("connect");
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) die("setsockopt");

  int64_t* times_ns = malloc(sizeof *times_ns * (size_t)options->rounds);
  static char message[kMessageBytesMax];
  if (times_ns == NULL) die("malloc");
  for (int i = 0; i < 100; ++i) { /* warm up */
    send_message(fd, message, options->size);
    receive_message(fd, message, options->size);
  }
  double cpu_before_s = cpu_s();
  int64_t start_ns = now_ns();
  long sent = 0;
  for (long received = 0; received < options->rounds; ++received) {
    while (sent < options->rounds && sent - received < options->depth) {
      send_message(fd, message, options->size);
      ++sent;
    }
    times_ns[received] = receive_message(fd, message, options->size);
  }
  double seconds = (double)(now_ns() - start_ns) * 1e-9;
  qsort(times_ns, (size_t)options->rounds, sizeof *times_ns, compare_i64);
  printf("{\"peer\":\"udp\",\"case\":\"pingpong\",\"size\":%ld,\"rounds\":%ld,\"depth\":%ld,\"p50_us\":%.2f,"
         "\"p99_us\":%.2f,\"per_s\":%.1f,\"seconds\":%.6f,\"cpu_s\":%.6f}\n",
         options->size, options->rounds, options->depth, (double)times_ns[options->rounds / 2] * 1e-3,
         (double)times_ns[options->rounds * 99 / 100] * 1e-3, (double)options->rounds / seconds, seconds,
         cpu_s() - cpu_before_s);
  fflush(stdout);
  free(times_ns);
  await_stdin_end();
  return 0;
}

int main(int argc, char** argv) {
  struct options options = {.size = 64, .rounds = 20000, .depth = 1, .cpu = -1};
  if (argc >= 2 && strcmp(argv[1], "server") == 0 && parse_options(argc - 2, argv + 2, &options)) {
    pin(options.cpu);
    return serve();
  }
  if (argc >= 4 && strcmp(argv[1], "client") == 0 && strcmp(argv[3], "pingpong") == 0 &&
      parse_options(argc - 4, argv + 4, &options)) {
    pin(options.cpu);
    return ping_pong(argv[2], &options);
  }
  return usage();
}
