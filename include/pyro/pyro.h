// pyro as a library: every operation by name, with JSON in and JSON out. docs/c-api.md explains it with examples.
//
// Threads: every function may be called from any thread, on the same objects too. Nothing of the library runs
// in your process but the thread that calls: operations run in processes of `pyro-launcher`, which the first
// call starts with posix_spawn(3). The library never forks, changes no handler of signals and prints nothing.
//
// Text is UTF-8 and ends with a NUL. What is returned as `char *` is yours: pyro_free() it. No C++ exception
// comes out of any function; where there is no memory, NULL stands for text.
//
// ABI: the functions below have the symbol version PYRO_0.1. Functions, and fields at the end of
// pyro_call_options, are added; nothing is taken away or changed before libpyro.so.1.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open library. Any thread may use it. */
typedef struct pyro pyro;

/* A wish to stop one or more calls. */
typedef struct pyro_cancel pyro_cancel;

/* Told what happens during a call, by the thread that calls pyro_call(), one event at a time: a JSON object
 *   {"kind", "address", "text", "data"}
 * kind "stdout" and "stderr" are pieces of what a command writes (exec, workspace_exec, vm_exec, vm_run), as it
 * writes them; characters are never cut in two. Where its bytes are not UTF-8, `text` has U+FFFD for those that
 * are none, and "data" is {"base64": all bytes of this piece}; otherwise "data" is null. kind "log" is a line of
 * a step or a service ("address" says which); the others are lines of progress for people: action_start,
 * action_progress, action_complete, action_error, probe, waiting, note, plan. Expect kinds that are not listed.
 *
 * event_json is valid until the function returns. What it waits for, the command waits for. It may call any
 * function of this header but pyro_close(), and must return: neither longjmp() nor an exception. (A C++
 * exception ends the call, with code "internal".) */
typedef void (*pyro_event_fn)(void *user, const char *event_json);

typedef struct pyro_call_options {
  size_t size;            /* sizeof(pyro_call_options): tells versions apart */
  pyro_event_fn on_event; /* NULL: nobody wants to know */
  void *user;             /* handed to on_event */
  pyro_cancel *cancel;    /* NULL: only pyro_close() stops the call */
} pyro_call_options;

enum {
  PYRO_OK = 0,
  PYRO_INVALID = 1, /* the caller's value, or an unknown id or name (Python: ValueError) */
  PYRO_FAILED = 2   /* state or environment (Python: RuntimeError) */
};

/* Opens the library. options_json is an object (NULL: {}), in which all are optional:
 *   "base"          state directory; default: PYRO_HOME, else $XDG_STATE_HOME/pyro
 *   "trust"         true: calls may take from this machine what a pyro.yaml wants (default false)
 *   "lock_timeout"  how long a call waits for a workspace that another one uses (default "60s")
 *   "launcher"      path of pyro-launcher; default: where it was installed with this library
 * Any other key is an error. Environment variables are read here: operations see them as they were now.
 * NULL: it failed, and *error_json (error_json may be NULL) is the error as of pyro_call(). */
pyro *pyro_open(const char *options_json, char **error_json);

/* Runs an operation and waits for its end. parameters_json is an object (NULL: {}); what there is, is in
 * pyro_operations(). Relative paths begin at the working directory of this process. options may be NULL.
 *
 * PYRO_OK: *result_json is the result. Otherwise it is the error {"code", "message"} and, where there are any,
 * "context", "hint", "output", "position": what `pyro --json` prints as "error". result_json may be NULL.
 *
 * A cancelled call takes back what can be taken back, ends its command (SIGINT, after 2 s SIGKILL) and fails with
 * code "interrupted"; one that was already done succeeds.
 *
 * In a child that was forked from this process a call fails with code "bad_state": open another library there. */
int pyro_call(pyro *library, const char *operation, const char *parameters_json, const pyro_call_options *options,
              char **result_json);

/* The table of operations: {"operations": {NAME: {"summary", "parameters", "result", "read_only", "destructive",
 * "idempotent"}}}, parameters and results as JSON Schema. */
char *pyro_operations(void);

/* May be requested before, during and after calls, from any thread; stays requested. Free it when no call uses it
 * any more. NULL: there is no memory. The other two take NULL and do nothing then. */
pyro_cancel *pyro_cancel_new(void);
void pyro_cancel_request(pyro_cancel *cancel);
void pyro_cancel_free(pyro_cancel *cancel);

/* Of the library, "0.1.0". Not to be freed. */
const char *pyro_version(void);

/* Frees what this library returned as `char *`; NULL does nothing. */
void pyro_free(char *text);

/* Cancels all calls, waits for their ends, ends the launcher and frees the library; NULL does nothing. Calls that
 * begin meanwhile fail with code "bad_state"; when it returns the pointer is no longer valid. Workspaces go on
 * running. In a forked child it frees nothing and leaves the parent's library alone. */
void pyro_close(pyro *library);

#ifdef __cplusplus
}
#endif
