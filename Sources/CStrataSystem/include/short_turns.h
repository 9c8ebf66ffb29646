#ifndef STRATA_SHORT_TURNS_H
#define STRATA_SHORT_TURNS_H

#include <stdint.h>

/// Has the kernel's scheduler give the calling thread its processor sooner and for turns of at most
/// so many nanoseconds (sched_setattr(2), `sched_runtime` of a thread of SCHED_OTHER, since Linux
/// 6.12). The share of time that it gets stays as it is. Elsewhere nothing happens.
void strata_take_short_turns(uint64_t nanoseconds);

#endif
