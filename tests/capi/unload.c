/* unload LIBRARY: loads it, runs a node on the library's thread and frees it, and unloads it; three times. */
#include <dlfcn.h>
#include <stdio.h>

#include "p2pagents/p2pagents.h"

typedef int32_t (*open_fn)(const p2pa_node_options *, p2pa_node *, p2pa_error_info *);
typedef int32_t (*node_fn)(p2pa_node);

/* ISO C has no cast from an object's pointer to a function's. */
static void find(void *library, const char *name, void *function, size_t size) {
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, size);
}

static int use(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  open_fn open_node;
  node_fn start, free_node;
  p2pa_node node;
  int failed;
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  find(library, "p2pa_node_open", &open_node, sizeof open_node);
  find(library, "p2pa_node_start_thread", &start, sizeof start);
  find(library, "p2pa_node_free", &free_node, sizeof free_node);
  failed = open_node(NULL, &node, NULL) != P2PA_OK || start(node) != P2PA_OK || free_node(node) != P2PA_OK;
  return dlclose(library) != 0 || failed;
}

int main(int argc, char **argv) {
  int i;
  if (argc != 2) return 2;
  for (i = 0; i < 3; ++i) {
    if (use(argv[1]) != 0) {
      fprintf(stderr, "round %d failed\n", i);
      return 1;
    }
  }
  return 0;
}
