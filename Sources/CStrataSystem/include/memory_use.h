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
/// a system call for each page. Content that programs write comes and goes in the heap by megabytes:
/// what is given back to the kernel in between costs a fault a page when it is taken again.
static inline void strata_share_heap(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

/// Gives the kernel back what is free in the heap, if that has grown by 64 MiB since the last time. For
/// one thread at a time.
static inline void strata_trim_heap(void) {
  static size_t left;
  size_t free = mallinfo2().fordblks;
  if (free < left) left = free;
  if (free - left < 64 << 20) return;
  malloc_trim(0);
  // What is given back is free all the same.
  left = mallinfo2().fordblks;
}

#endif
