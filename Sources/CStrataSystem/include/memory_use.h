#ifndef STRATA_MEMORY_USE_H
#define STRATA_MEMORY_USE_H

#include <malloc.h>
#include <stddef.h>

/// Bytes that the process has allocated and not freed.
static inline size_t strata_allocated_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Has threads that come from now on allocate from the process's own heap. One of their own grows by
/// a system call for each page.
static inline void strata_share_heap(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1 << 20);
}

#endif
