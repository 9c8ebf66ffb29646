#ifndef STRATA_MOUNTS_H
#define STRATA_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/// Mounts by descriptor, as the calls since Linux 5.2 have them. All return a descriptor, a number
/// or 0, or -errno; descriptors are close-on-exec.

/// A connection to the kernel's FUSE: /dev/fuse.
int strata_fuse_open(void);

/// A further descriptor of the same connection, which another thread reads from by itself.
int strata_fuse_clone(int device);

/// What strata_fuse_make_mount needs to know.
struct strata_fuse_mount {
  /// As /proc/mounts shows it.
  const char *source, *subtype;
  uint32_t uid, gid;
  bool read_only, allow_other, no_devices, no_set_user, no_programs, no_access_times;
};

/// A mount of the connection, attached nowhere.
int strata_fuse_make_mount(int device, const struct strata_fuse_mount *how);

/// move_mount(2) of a detached mount to a path.
int strata_attach_mount(int mount, const char *path);

/// open_tree(2) with a copy of the mount at a path, attached nowhere; `recursive` with all below it.
int strata_copy_mount(int directory, const char *path, bool recursive);

/// Makes a mount read-only, whatever its file system is.
int strata_make_read_only(int mount);

/// mount_setattr(2): gives a mount exactly these attributes.
int strata_set_mount(int mount, bool read_only, bool no_devices, bool no_set_user, bool no_programs,
                     bool no_access_times);

/// umount2(2); lazily, for what is in use.
int strata_unmount(const char *path, bool lazily);

/// The two parts of a file system's number, as /proc shows them.
unsigned strata_device_major(uint64_t device);
unsigned strata_device_minor(uint64_t device);

/// A descriptor by which strata_has_ended() knows whether the file system at a path, not only one of
/// its mounts, has ended: with the last umount2(2) it has when that returns. It keeps nothing busy.
int strata_watch_file_system(const char *path);
bool strata_has_ended(int watch);

// A descriptor that can be read from when the process has ended: pidfd_open(2).
int strata_process(int pid);

/// Registers a file for passthrough: an id, or -errno.
int strata_fuse_backing_open(int device, int file);
int strata_fuse_backing_close(int device, int id);

#endif
