#define _GNU_SOURCE
#include "other_processor.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// The 39th field, counted from the name in parentheses, which is the second and may hold anything.
static int processor_of(pid_t thread) {
  char path[32], line[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)thread);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = read(file, line, sizeof line - 1);
  close(file);
  if (count <= 0) return -1;
  line[count] = 0;
  const char *place = strrchr(line, ')');
  for (int field = 2; place && field < 39; field++) place = strchr(place + 1, ' ');
  return place ? atoi(place + 1) : -1;
}

static bool take_other_processor(int here) {
  cpu_set_t before, others, after;
  if (here >= CPU_SETSIZE) return false;
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

bool strata_leave_processor_of(pid_t thread) {
  int here = sched_getcpu();
  return here >= 0 && processor_of(thread) == here && take_other_processor(here);
}
