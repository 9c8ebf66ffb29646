#ifndef STRATA_OTHER_PROCESSOR_H
#define STRATA_OTHER_PROCESSOR_H

#include <stdbool.h>

/// Moves the calling thread to another processor than the one that it runs on. Where it may run later
/// is as it was.
///
/// - Returns: false if there is none that it may run on.
bool strata_take_other_processor(void);

#endif
