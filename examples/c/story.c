// A workspace from its making to its end, through libpyro: create, exec, snapshot, break, reset, diff, export.
//   cc -o story story.c $(pkg-config --cflags --libs pyro) && ./story [ENVIRONMENT]
#include <pyro/pyro.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_event(void *user, const char *event) {
  (void)user;
  if (strstr(event, "\"kind\":\"stdout\"") != NULL) {
    printf("  as it is written: %s\n", event);
  }
}

// The result as JSON; where there is none, the error is said and the program ends.
static char *call(pyro *library, const char *operation, const char *parameters) {
  const pyro_call_options options = {.size = sizeof options, .on_event = show_event};
  char *result = NULL;
  if (pyro_call(library, operation, parameters, &options, &result) != PYRO_OK) {
    fprintf(stderr, "%s: %s\n", operation, result != NULL ? result : "no memory");
    pyro_free(result);
    pyro_close(library);
    exit(1);
  }
  return result;
}

static void step(pyro *library, const char *operation, const char *parameters) {
  char *result = call(library, operation, parameters);
  printf("%s: %s\n", operation, result);
  pyro_free(result);
}

int main(int argc, char **argv) {
  const char *environment = argc > 1 ? argv[1] : "host";
  char *error = NULL;
  pyro *library = pyro_open(NULL, &error);
  if (library == NULL) {
    fprintf(stderr, "%s\n", error != NULL ? error : "no memory");
    pyro_free(error);
    return 1;
  }
  printf("libpyro %s\n", pyro_version());

  char create[4096];
  snprintf(create, sizeof create, "{\"environment\": \"%s\", \"name\": \"story\"}", environment);
  pyro_free(call(library, "workspace_create", create));

  step(library, "workspace_exec", "{\"workspace_id\": \"story\", \"command\": \"echo one > notes.txt; cat notes.txt\"}");
  pyro_free(call(library, "snapshot_create", "{\"workspace_id\": \"story\", \"snapshot_name\": \"good\"}"));
  pyro_free(call(library, "workspace_exec", "{\"workspace_id\": \"story\", \"command\": \"rm notes.txt; echo junk > junk\"}"));
  step(library, "workspace_diff", "{\"workspace_id\": \"story\"}");

  pyro_free(call(library, "workspace_reset", "{\"workspace_id\": \"story\", \"snapshot\": \"good\"}"));
  step(library, "workspace_diff", "{\"workspace_id\": \"story\"}");
  step(library, "workspace_export",
       "{\"workspace_id\": \"story\", \"path\": \"notes.txt\", \"output_path\": \"exported.txt\"}");
  step(library, "workspace_delete", "{\"workspace_id\": \"story\"}");
  pyro_close(library);
  return 0;
}
