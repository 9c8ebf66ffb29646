#ifndef STRATA_OTHER_PROCESSOR_H
#define STRATA_OTHER_PROCESSOR_H

#include <stdbool.h>
#include <sys/types.h>

/// Moves the calling thread to another processor, if it runs on the one where another thread runs or ran
/// last, by `/proc/TID/stat`. Where it may run later is as it was.
///
/// - Returns: whether it has moved.
bool strata_leave_processor_of(pid_t thread);

#endif
