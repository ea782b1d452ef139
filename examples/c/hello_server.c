#include <p2pagents/p2pagents.h>
#include <stdio.h>

int main(void) {
  char text[256];
  size_t size = sizeof text;
  p2pa_node node = {0};
  p2pa_event event;
  p2pa_node_options options;
  p2pa_node_options_init(&options);
  options.listen = "/ip4/127.0.0.1/udp/0/quic-v1";
  options.listen_size = strlen(options.listen);
  int32_t status = p2pa_node_open(&options, &node, NULL);
  if (status >= 0) status = p2pa_node_serve(node, "hello", 5, P2PA_SERVE_UNARY);
  for (p2pa_event_init(&event); status >= 0; p2pa_event_release(&event)) {
    status = p2pa_node_wait_event(node, -1, &event);
    if (event.kind == P2PA_EVENT_LISTENING && p2pa_node_addresses(node, text, &size) >= 0) {
      puts(text);
      fflush(stdout);
    } else if (event.kind == P2PA_EVENT_REQUEST) {
      snprintf(text, sizeof text, "hello, %.*s", (int)event.data.size, (const char *)event.data.data);
      p2pa_call_reply(event.call, (const uint8_t *)text, strlen(text));
    }
  }
  fprintf(stderr, "%s\n", p2pa_status_text(status));
  return 1;
}
