#ifndef STRATA_MEMORY_USE_H
#define STRATA_MEMORY_USE_H

#include <malloc.h>
#include <stddef.h>

/// Bytes that the process has allocated and not freed.
static inline size_t strata_allocated_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

#endif
