#include <pyro/pyro.h>
#include <stdio.h>

int main(void) {
  char *text = NULL;
  pyro *library = pyro_open(NULL, &text);
  if (library != NULL && pyro_call(library, "version", NULL, NULL, &text) == PYRO_OK) {
    printf("version: %s\n", text);
  } else {
    fprintf(stderr, "error: %s\n", text);
  }
  pyro_free(text);
  pyro_close(library);
  return 0;
}
