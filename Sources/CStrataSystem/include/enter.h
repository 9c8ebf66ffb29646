#ifndef STRATA_ENTER_H
#define STRATA_ENTER_H

#include <stdbool.h>

/// What a process does on its way into a fork, before it becomes another program. For processes of
/// one thread. All return a descriptor or 0, or -errno.

/// Whether this process may mount where it is.
bool strata_may_mount(void);

/// A user namespace of its own, in which it may mount; user and group stay what they are, and there
/// are no others in it.
int strata_new_user(void);

/// A mount namespace of its own; what is mounted in it is seen nowhere else.
int strata_new_mounts(void);

/// A network namespace of its own, with nothing but a loopback.
int strata_no_network(void);

/// Another process goes on from here; this one stays until it and all that it has started have ended,
/// and then ends as it did. If asked, the other is the second one of a PID namespace of its own, and all
/// in that end with it. Meanwhile our working directory is the one that is open, if any: who may look at
/// this process in /proc gets there.
int strata_supervise(bool contained, int directory);

/// Makes the directory that is open the root.
int strata_change_root(int directory);

/// A proc file system of the PID namespace at /proc.
int strata_mount_proc(void);

/// Gives up all capabilities for good.
int strata_drop_capabilities(void);

#endif
