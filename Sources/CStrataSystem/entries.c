#define _GNU_SOURCE
#include "entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

const int strata_o_nofollow = O_NOFOLLOW;

int strata_open_at(int directory, const char *path, int flags, uint32_t mode) {
  int fd;
  do fd = openat(directory < 0 ? AT_FDCWD : directory, path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int strata_rename_within(int directory, const char *from, const char *to, int keep_existing) {
  unsigned flags = keep_existing ? RENAME_NOREPLACE : 0;
  return renameat2(directory, from, directory, to, flags) < 0 ? -errno : 0;
}

int strata_set_owner(int fd, uint32_t uid, uint32_t gid) {
  return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/// A descriptor of O_PATH takes few calls; the way through /proc leads to the same object.
static void link_to(int fd, char path[64]) { snprintf(path, 64, "/proc/self/fd/%d", fd); }

int strata_set_mode(int fd, uint32_t mode) {
  char path[64];
  if (fchmod(fd, mode) == 0) return 0;
  if (errno != EBADF) return -errno;
  link_to(fd, path);
  return chmod(path, mode) < 0 ? -errno : 0;
}

int strata_set_xattr(int fd, const char *name, const void *value, size_t size) {
  char path[64];
  if (fsetxattr(fd, name, value, size, 0) == 0) return 0;
  if (errno != EBADF) return -errno;
  link_to(fd, path);
  return setxattr(path, name, value, size, 0) < 0 ? -errno : 0;
}

static struct timespec time_of(const int64_t *nanoseconds) {
  if (!nanoseconds) return (struct timespec){.tv_nsec = UTIME_OMIT};
  int64_t seconds = *nanoseconds / 1000000000, rest = *nanoseconds % 1000000000;
  if (rest < 0) {
    rest += 1000000000;
    seconds -= 1;
  }
  return (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

int strata_set_times(int fd, const int64_t *accessed, const int64_t *modified) {
  char path[64];
  struct timespec times[2] = {time_of(accessed), time_of(modified)};
  if (futimens(fd, times) == 0) return 0;
  if (errno != EBADF) return -errno;
  link_to(fd, path);
  return utimensat(AT_FDCWD, path, times, 0) < 0 ? -errno : 0;
}

int strata_sync_file_system(int fd) { return syncfs(fd) == 0 ? 0 : -errno; }

int strata_rename(
    int directory, const char *from, int other, const char *to, int exchange) {
  unsigned flags = exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  return renameat2(directory, from, other, to, flags) < 0 ? -errno : 0;
}

int strata_remove_xattr(int fd, const char *name) {
  char path[64];
  if (fremovexattr(fd, name) == 0) return 0;
  if (errno != EBADF) return -errno;
  link_to(fd, path);
  return removexattr(path, name) < 0 ? -errno : 0;
}
