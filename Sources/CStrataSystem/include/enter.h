#ifndef STRATA_ENTER_H
#define STRATA_ENTER_H

#include <stdbool.h>

/// What a process does on its way into a fork, before it becomes another program. For processes of
/// one thread. All return a descriptor or 0, or -errno.

/// A mount namespace of its own; what is mounted in it is seen nowhere else.
int strata_new_mounts(void);

/// A network namespace of its own, with nothing but a loopback.
int strata_no_network(void);

/// Another process goes on from here, in a PID namespace of its own if asked; this one stays until it
/// and all that it has started have ended, and then ends as it did.
int strata_supervise(bool contained);

/// Makes the directory that is open the root.
int strata_change_root(int directory);

/// A proc file system of the PID namespace at /proc.
int strata_mount_proc(void);

/// Gives up all capabilities for good.
int strata_drop_capabilities(void);

/// open(2) with O_PATH.
int strata_open_path(const char *path);

#endif
