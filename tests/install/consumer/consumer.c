/* A user's C program: opens a node and says who it is. */
#include <p2pagents/p2pagents.h>
#include <stdio.h>

int main(void) {
  const char listen[] = "/ip4/127.0.0.1/udp/0/quic-v1";
  char text[64];
  size_t size = sizeof text;
  p2pa_node_options options;
  p2pa_node node;
  p2pa_peer peer;
  int32_t status;

  p2pa_node_options_init(&options);
  options.listen = listen;
  options.listen_size = sizeof listen - 1;
  status = p2pa_node_open(&options, &node, NULL);
  if (status >= 0) status = p2pa_node_peer(node, &peer);
  if (status >= 0) status = p2pa_peer_text(&peer, text, &size);
  if (status >= 0) status = p2pa_node_poll(node, 1000, 0);
  if (status >= 0) status = p2pa_node_free(node);
  puts(status < 0 ? p2pa_status_name(status) : text);
  return status < 0;
}
