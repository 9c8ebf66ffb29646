#define _GNU_SOURCE
#include "other_processor.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

bool strata_take_other_processor(void) {
  cpu_set_t before, others, after;
  int here = sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE) return false;
  if (sched_getaffinity(0, sizeof before, &before) != 0) return false;
  others = before;
  CPU_CLR(here, &others);
  if (CPU_COUNT(&others) == 0) return false;
  if (sched_setaffinity(0, sizeof others, &others) != 0) return false;
  // Somebody may have said meanwhile where it is to run.
  if (sched_getaffinity(0, sizeof after, &after) != 0 || !CPU_EQUAL(&after, &others)) return true;
  // Where it may run everywhere it is to go on so when there are more: the kernel knows of none but
  // those that there are.
  if (CPU_COUNT(&before) >= sysconf(_SC_NPROCESSORS_ONLN)) memset(&before, 0xFF, sizeof before);
  sched_setaffinity(0, sizeof before, &before);
  return true;
}
