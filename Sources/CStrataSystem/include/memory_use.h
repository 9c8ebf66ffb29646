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

/// Gives the kernel back what is free in the heap, if that is at least 64 MiB.
///
/// - Parameter before: what was free when this was last called; nothing is done where it still is.
/// - Returns: bytes that are free in the heap.
static inline size_t strata_trim_heap(size_t before) {
  size_t free = mallinfo2().fordblks;
  if (free < 64 << 20 || free == before) return free;
  malloc_trim(0);
  return mallinfo2().fordblks;
}

#endif
