#include "ring.h"

size_t ring_put(struct ring *ring, const void *bytes, size_t count) {
  const unsigned char *from = bytes;
  size_t done = 0;
  while (done < count && ring->used < sizeof(ring->bytes)) {
    ring->bytes[(ring->start + ring->used) % sizeof(ring->bytes)] = from[done];
    ++ring->used;
    ++done;
  }
  return done;
}

size_t ring_take(struct ring *ring, void *bytes, size_t count) {
  unsigned char *to = bytes;
  size_t done = 0;
  while (done < count && ring->used > 0) {
    to[done] = ring->bytes[ring->start];
    ring->start = (ring->start + 1) % sizeof(ring->bytes);
    --ring->used;
    ++done;
  }
  return done;
}
