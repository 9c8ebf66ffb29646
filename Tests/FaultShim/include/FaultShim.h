#ifndef FAULT_SHIM_H
#define FAULT_SHIM_H

/// Loaded in front of libc (LD_PRELOAD), it counts the system calls that change or sync files below
/// a directory, and lets one of them fail, or the process die before it; or it keeps a log of them.
///
///   FAULT_UNDER   the directory, without a slash at the end
///   FAULT_AT      the number of the call, from 1
///   FAULT_WITH    "kill", "short", or the number of an errno; it is given once
///   FAULT_LOG     a file that is appended to: one record for each call that has succeeded
///   FAULT_COUNT   a file that the number of calls is written to at the end
void fault_shim_is_linked(void);

#endif
