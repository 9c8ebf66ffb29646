#ifndef STRATA_BENEATH_H
#define STRATA_BENEATH_H

#include <stdint.h>
#include <sys/types.h>

/// What statx(2) says of an open object, times in nanoseconds since 1970.
struct strata_status {
  uint64_t device, inode, rdev;
  uint32_t mode, links, uid, gid;
  int64_t size, blocks;
  int64_t accessed, modified, changed, born;
};

/// openat2(2) below `root`: no symbolic link is followed, nothing outside is reached. Where the
/// kernel has no openat2, the path is walked name by name. Returns a descriptor or -errno.
int strata_open_beneath(int root, const char *path, int flags);

/// The same for kernels before 5.6: each name by itself, so that no link can lead astray.
int strata_open_walking(int root, const char *path, int flags);

/// Opens for use what `fd`, a descriptor of O_PATH, refers to: that very object, whatever stands at
/// its path by now. Returns a descriptor or -errno; ENOENT where /proc is not mounted.
int strata_reopen(int fd, int flags);

/// Whether the file system keeps an inode's time of birth for good, so that it tells the inode from
/// another of the same number. An overlayfs does not: it says that of the upper inode after its
/// copy-up. Returns 1, 0 or -errno.
int strata_birth_lasts(int fd);

/// Whether all who lock something there are on this machine, and not in a fork of it: a file system of
/// the kernel's own. Returns 1, 0 or -errno.
int strata_sees_all_locks(int fd);

/// Whether it is on a proc file system, whose links lead to objects and not where their text says.
/// Returns 1, 0 or -errno.
int strata_is_on_proc(int fd);

/// Returns 0 or -errno.
int strata_status(int fd, struct strata_status *out);
int strata_status_at(int directory, const char *name, struct strata_status *out);

/// Which mount an open object was reached through; 0 on kernels that do not say (before 5.8).
uint64_t strata_mount_id(int fd);

/// Extended attributes of what any descriptor, one of O_PATH too, refers to. Return a length or
/// -errno.
ssize_t strata_list_xattr(int fd, char *list, size_t size);
ssize_t strata_get_xattr(int fd, const char *name, void *value, size_t size);

/// The next records of a directory, `struct dirent64` each. Returns their length, 0 at the end, or
/// -errno: ENOENT for a directory that was removed.
ssize_t strata_next_entries(int fd, void *buffer, size_t size);

/// The next data and the hole behind it from `offset` on; 0, 1 when only a hole follows, or -errno.
int strata_next_data(int fd, int64_t offset, int64_t *start, int64_t *end);

/// Makes the calling thread, and no other, access files as another user (setfsuid).
void strata_set_thread_user(unsigned user);

extern const int strata_o_path;
extern const int strata_o_noatime;

#endif
