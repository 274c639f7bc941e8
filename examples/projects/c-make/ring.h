/* A queue of bytes of a fixed size, in a ring. */
#ifndef RING_H
#define RING_H

#include <stddef.h>

struct ring {
  unsigned char bytes[16];
  size_t start;
  size_t used;
};

/* How many of the bytes had room, from the first on. */
size_t ring_put(struct ring *ring, const void *bytes, size_t count);
/* How many there were, at most count. */
size_t ring_take(struct ring *ring, void *bytes, size_t count);

#endif
