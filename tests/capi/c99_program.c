/* The C face used from C99: two nodes in one process, one asks the other. Answers 0, or the line that
 * failed. */
#include <p2pagents/p2pagents.h>

int p2pa_c99_program(void);

#define EXPECT(condition) \
  do {                    \
    if (!(condition)) return __LINE__; \
  } while (0)

int p2pa_c99_program(void) {
  static const char listen[] = "/ip4/127.0.0.1/udp/0/quic-v1";
  p2pa_node nodes[2];
  p2pa_node_options options;
  p2pa_limits limits;
  p2pa_call_options call_options;
  p2pa_connection_info connection;
  p2pa_error_info error;
  p2pa_event event;
  p2pa_peer server;
  p2pa_op op = {0};
  char address[256] = "";
  size_t size = sizeof address;
  int rounds, answered = 0;

  p2pa_error_info_init(&error);
  p2pa_limits_init(&limits);
  p2pa_connection_info_init(&connection);
  p2pa_call_options_init(&call_options);
  p2pa_event_init(&event);
  p2pa_node_options_init(&options);
  options.listen = listen;
  options.listen_size = sizeof listen - 1;
  options.limits = &limits;
  EXPECT(p2pa_node_open(&options, &nodes[0], &error) == P2PA_OK);
  EXPECT(p2pa_node_open(NULL, &nodes[1], &error) == P2PA_OK);
  EXPECT(p2pa_node_serve(nodes[0], "c99", 3, P2PA_SERVE_UNARY) == P2PA_OK);
  EXPECT(p2pa_node_wait_event(nodes[0], 10000000, &event) == P2PA_OK);
  EXPECT(event.kind == P2PA_EVENT_LISTENING);
  EXPECT(p2pa_event_release(&event) == P2PA_OK);
  EXPECT(p2pa_node_addresses(nodes[0], address, &size) == P2PA_OK);
  EXPECT(p2pa_address_peer(address, size, &server) == P2PA_OK);
  EXPECT(p2pa_node_add_address(nodes[1], &server, address, size, &error) == P2PA_OK);
  EXPECT(p2pa_node_call(nodes[1], &server, "c99", 3, (const uint8_t *)"hi", 2, &call_options, &op) == P2PA_OK);
  for (rounds = 0; rounds < 100000 && !answered; ++rounds) {
    const p2pa_node node = nodes[rounds % 2];
    const int32_t status = p2pa_node_wait_event(node, 1000, &event);
    EXPECT(status >= 0);
    if (status == P2PA_OK && event.kind == P2PA_EVENT_REQUEST) {
      EXPECT(event.name.size == 3 && memcmp(event.name.data, "c99", 4) == 0);
      EXPECT(p2pa_call_reply(event.call, event.data.data, event.data.size) == P2PA_OK);
    }
    if (status == P2PA_OK && event.op.v == op.v) {
      EXPECT(event.status == P2PA_OK);
      EXPECT(event.data.size == 2 && memcmp(event.data.data, "hi", 2) == 0);
      answered = 1;
    }
    EXPECT(p2pa_event_release(&event) == P2PA_OK);
  }
  EXPECT(answered);
  EXPECT(p2pa_node_free(nodes[0]) == P2PA_OK);
  EXPECT(p2pa_node_free(nodes[1]) == P2PA_OK);
  return 0;
}
