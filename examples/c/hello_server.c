#include <p2pagents/p2pagents.h>
#include <stdio.h>

static int fail(const char *what, int32_t status) {
  fprintf(stderr, "%s: %s\n", what, p2pa_status_text(status));
  return 1;
}

int main(void) {
  static const char listen[] = "/ip4/127.0.0.1/udp/0/quic-v1";
  p2pa_node node;
  p2pa_node_options options;
  p2pa_node_options_init(&options);
  options.listen = listen;
  options.listen_size = sizeof listen - 1;
  int32_t status = p2pa_node_open(&options, &node, NULL);
  if (status < 0) return fail("open", status);
  status = p2pa_node_serve(node, "hello", 5, P2PA_SERVE_UNARY);
  if (status < 0) return fail("serve", status);

  p2pa_event event;
  p2pa_event_init(&event);
  while ((status = p2pa_node_wait_event(node, -1, &event)) >= 0) {
    if (event.kind == P2PA_EVENT_LISTENING) {
      char address[256];
      size_t size = sizeof address;
      status = p2pa_node_addresses(node, address, &size);
      if (status < 0) return fail("addresses", status);
      puts(address);
      fflush(stdout);
    } else if (event.kind == P2PA_EVENT_REQUEST) {
      char answer[256];
      int size = snprintf(answer, sizeof answer, "hello, %.*s", (int)event.data.size, (const char *)event.data.data);
      if (size >= (int)sizeof answer) size = sizeof answer - 1;
      p2pa_call_reply(event.call, (const uint8_t *)answer, (size_t)size);
    }
    p2pa_event_release(&event);
  }
  p2pa_node_free(node);
  return fail("wait", status);
}
