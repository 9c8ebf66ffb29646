#define _GNU_SOURCE
#include "other_processor.h"

#include <sched.h>

bool strata_take_other_processor(void) {
  cpu_set_t before, others;
  int here = sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE) return false;
  if (sched_getaffinity(0, sizeof before, &before) != 0) return false;
  others = before;
  CPU_CLR(here, &others);
  if (CPU_COUNT(&others) == 0) return false;
  if (sched_setaffinity(0, sizeof others, &others) != 0) return false;
  sched_setaffinity(0, sizeof before, &before);
  return true;
}
