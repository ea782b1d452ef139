#include <p2pagents/p2pagents.h>
#include <stdio.h>

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "";
  const uint8_t name[] = {'w', 'o', 'r', 'l', 'd'};
  p2pa_node node = {0};
  p2pa_peer server;
  p2pa_op op = {0};
  p2pa_event event;
  int32_t status = p2pa_node_open(NULL, &node, NULL);
  if (status >= 0) status = p2pa_address_peer(address, strlen(address), &server);
  if (status >= 0) status = p2pa_node_add_address(node, &server, address, strlen(address), NULL);
  if (status >= 0) status = p2pa_node_call(node, &server, "hello", 5, name, sizeof name, NULL, &op);
  for (p2pa_event_init(&event); status >= 0 && event.op.v != op.v;) {
    p2pa_event_release(&event);
    status = p2pa_node_wait_event(node, -1, &event);
  }
  if (status >= 0) status = event.status;
  if (status >= 0) printf("%.*s\n", (int)event.data.size, (const char *)event.data.data);
  if (status < 0) fprintf(stderr, "%s\n", p2pa_status_text(status));
  p2pa_node_free(node);
  return status < 0;
}
