#ifndef STRATA_CONTENT_H
#define STRATA_CONTENT_H

#include <stdint.h>
#include <sys/types.h>

/// Content that goes from file to file, or away, without passing through the process. All return a
/// count or 0, or -errno.

/// Makes a range of a file share the blocks of another's (FICLONERANGE).
int strata_clone_range(int file, int source, int64_t offset, int64_t count);

/// copy_file_range(2) at the same offset of both, some of the bytes.
ssize_t strata_copy_range(int file, int source, int64_t offset, int64_t count);

/// Gives a range back to the disk; it reads as zeros then, and the size stays.
int strata_punch_hole(int file, int64_t offset, int64_t count);

/// Takes room on the disk for a range, which may lie behind the end: a write there has it then.
int strata_take_room(int file, int64_t offset, int64_t count);

#endif
