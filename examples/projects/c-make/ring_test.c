#include "ring.h"

#include <stdio.h>
#include <string.h>

static int failures;

#define EXPECT(condition)                                           \
  do {                                                              \
    if (!(condition)) {                                             \
      ++failures;                                                   \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    }                                                               \
  } while (0)

int main(void) {
  struct ring ring = {0};
  char out[32] = "";
  EXPECT(ring_take(&ring, out, sizeof(out)) == 0);
  EXPECT(ring_put(&ring, "0123456789", 10) == 10);
  EXPECT(ring_take(&ring, out, 6) == 6);
  EXPECT(memcmp(out, "012345", 6) == 0);
  EXPECT(ring_put(&ring, "abcdefghijklmnop", 16) == 12); /* around the end, until it is full */
  EXPECT(ring_take(&ring, out, sizeof(out)) == 16);
  EXPECT(memcmp(out, "6789abcdefghijkl", 16) == 0);
  printf("%s\n", failures ? "failed" : "all passed");
  return failures != 0;
}
