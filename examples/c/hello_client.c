#include <p2pagents/p2pagents.h>
#include <stdio.h>

static int fail(const char *what, int32_t status) {
  fprintf(stderr, "%s: %s\n", what, p2pa_status_text(status));
  return 1;
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "";
  p2pa_node node;
  p2pa_peer server;
  p2pa_op op;
  int32_t status = p2pa_address_peer(address, strlen(address), &server);
  if (status < 0) return fail("usage: hello_client ADDRESS", status);
  status = p2pa_node_open(NULL, &node, NULL);
  if (status < 0) return fail("open", status);
  status = p2pa_node_add_address(node, &server, address, strlen(address), NULL);
  if (status < 0) return fail("address", status);
  status = p2pa_node_call(node, &server, "hello", 5, (const uint8_t *)"world", 5, NULL, &op);
  if (status < 0) return fail("call", status);

  p2pa_event event;
  p2pa_event_init(&event);
  int answered = 0;
  while (!answered && (status = p2pa_node_wait_event(node, 30000000, &event)) == P2PA_OK) {
    answered = event.op.v == op.v;
    if (answered) status = event.status;
    if (answered && status == P2PA_OK) printf("%.*s\n", (int)event.data.size, (const char *)event.data.data);
    p2pa_event_release(&event);
  }
  p2pa_node_free(node);
  return answered && status == P2PA_OK ? 0 : fail("call", status);
}
