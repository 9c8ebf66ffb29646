#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

const int strata_o_path = O_PATH;
const int strata_o_noatime = O_NOATIME;

int strata_open_walking(int root, const char *path, int flags) {
  int directory = root;
  for (;;) {
    const char *slash = strchr(path, '/');
    char name[NAME_MAX + 1];
    size_t length = slash ? (size_t)(slash - path) : strlen(path);
    int next = -1, error = ENAMETOOLONG;
    if (length < sizeof name) {
      memcpy(name, path, length);
      name[length] = 0;
      if (strcmp(name, "..") == 0) {
        if (directory != root) close(directory);
        return -EXDEV;
      }
      int step = slash ? O_PATH | O_DIRECTORY : flags;
      do next = openat(directory, name, step | O_NOFOLLOW | O_CLOEXEC);
      while (next < 0 && errno == EINTR);
      error = errno;
    }
    if (directory != root) close(directory);
    if (next < 0) return -error;
    if (!slash) return next;
    directory = next;
    path = slash + 1;
  }
}

int strata_open_beneath(int root, const char *path, int flags) {
  static atomic_bool is_missing;
  if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd;
    // EAGAIN: a rename somewhere in the system raced with the check for "..".
    int tries = 0;
    do fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 100)));
    if (fd >= 0) return (int)fd;
    // A filter of system calls that does not know the call says EPERM. No file system says that of
    // O_PATH; of other flags it may mean O_NOATIME or the file.
    if (errno != ENOSYS && !(errno == EPERM && (flags & O_PATH))) return -errno;
    atomic_store_explicit(&is_missing, 1, memory_order_relaxed);
  }
  return strata_open_walking(root, path, flags);
}

static int64_t nanoseconds(struct statx_timestamp time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int status(int directory, const char *name, int flags, struct strata_status *out) {
  struct statx raw;
  if (statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &raw) < 0) return -errno;
  *out = (struct strata_status){
      .device = makedev(raw.stx_dev_major, raw.stx_dev_minor),
      .inode = raw.stx_ino,
      .rdev = makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
      .mode = raw.stx_mode,
      .links = raw.stx_nlink,
      .uid = raw.stx_uid,
      .gid = raw.stx_gid,
      .size = (int64_t)raw.stx_size,
      .blocks = (int64_t)raw.stx_blocks,
      .accessed = nanoseconds(raw.stx_atime),
      .modified = nanoseconds(raw.stx_mtime),
      .changed = nanoseconds(raw.stx_ctime),
      .born = raw.stx_mask & STATX_BTIME ? nanoseconds(raw.stx_btime) : 0,
  };
  return 0;
}

int strata_status(int fd, struct strata_status *out) {
  return status(fd, "", AT_EMPTY_PATH, out);
}

uint64_t strata_mount_id(int fd) {
  struct statx raw;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &raw) < 0) return 0;
  return raw.stx_mask & STATX_MNT_ID ? raw.stx_mnt_id : 0;
}

int strata_status_at(int directory, const char *name, struct strata_status *out) {
  return status(directory, name, AT_SYMLINK_NOFOLLOW, out);
}

int strata_birth_lasts(int fd) {
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return -errno;
  switch ((uint32_t)system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case 0x2FC12FC1:  // ZFS
    case 0xCA451A4E:  // bcachefs
      return 1;
    default:
      return 0;
  }
}

int strata_sees_all_locks(int fd) {
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return -errno;
  return (uint32_t)system.f_type == OVERLAYFS_SUPER_MAGIC || strata_birth_lasts(fd) > 0;
}

int strata_is_on_proc(int fd) {
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return -errno;
  return (uint32_t)system.f_type == PROC_SUPER_MAGIC;
}

/// A descriptor of O_PATH takes no f*xattr call; the way through /proc leads to the same object.
static void link_to(int fd, char path[64]) { snprintf(path, 64, "/proc/self/fd/%d", fd); }

int strata_reopen(int fd, int flags) {
  char path[64];
  link_to(fd, path);
  int opened;
  do opened = open(path, flags | O_CLOEXEC | O_NOCTTY);
  while (opened < 0 && errno == EINTR);
  return opened < 0 ? -errno : opened;
}

ssize_t strata_list_xattr(int fd, char *list, size_t size) {
  char path[64];
  link_to(fd, path);
  ssize_t length = listxattr(path, list, size);
  return length < 0 ? -errno : length;
}

ssize_t strata_get_xattr(int fd, const char *name, void *value, size_t size) {
  char path[64];
  link_to(fd, path);
  ssize_t length = getxattr(path, name, value, size);
  return length < 0 ? -errno : length;
}

ssize_t strata_next_entries(int fd, void *buffer, size_t size) {
  long length;
  do length = syscall(SYS_getdents64, fd, buffer, size);
  while (length < 0 && errno == EINTR);
  return length < 0 ? -errno : length;
}

int strata_next_data(int fd, int64_t offset, int64_t *start, int64_t *end) {
  off_t data = lseek(fd, offset, SEEK_DATA);
  if (data < 0) return errno == ENXIO ? 1 : -errno;
  off_t hole = lseek(fd, data, SEEK_HOLE);
  if (hole < 0) return -errno;
  *start = data;
  *end = hole;
  return 0;
}

void strata_set_thread_user(unsigned user) { setfsuid(user); }
