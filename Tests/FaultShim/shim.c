#define _GNU_SOURCE
#include "FaultShim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_ready;
static const char *under;
static long fault_at, calls;
static const char *fault_with;
static size_t piece;
static int log_file = -1, count_file = -1;

void fault_shim_is_linked(void) {}

static void prepare(void) {
  if (is_ready) return;
  is_ready = 1;
  under = getenv("FAULT_UNDER");
  fault_at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
  fault_with = getenv("FAULT_WITH");
  piece = getenv("FAULT_PIECE") ? (size_t)atol(getenv("FAULT_PIECE")) : 0;
  const char *log = getenv("FAULT_LOG"), *count = getenv("FAULT_COUNT");
  if (log) log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (count) count_file = syscall(SYS_openat, AT_FDCWD, count, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

/// FAULT_UNDER names directories, a colon between them.
static int is_below(const char *path) {
  for (const char *place = under; place && *place;) {
    size_t length = strcspn(place, ":");
    if (strncmp(path, place, length) == 0 && (path[length] == 0 || path[length] == '/')) return 1;
    place += length + (place[length] == ':');
  }
  return 0;
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t count = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (count < 0) return 0;
  path[count] = 0;
  return is_below(path);
}

static int path_at(int directory, const char *name, char *path) {
  if (name[0] == '/') {
    char proc[PATH_MAX];
    int fd, used = 0;
    if (sscanf(name, "/proc/self/fd/%d/%n", &fd, &used) == 1 && used > 0) {
      path_of(fd, proc);
      snprintf(path, PATH_MAX, "%.2000s/%.2000s", proc, name + used);
    } else {
      snprintf(path, PATH_MAX, "%s", name);
    }
    return is_below(path);
  }
  char start[PATH_MAX];
  if (directory == AT_FDCWD) {
    if (!getcwd(start, sizeof start)) return 0;
  } else {
    path_of(directory, start);
  }
  snprintf(path, PATH_MAX, "%.2000s/%.2000s", start, name);
  return is_below(path);
}

/// -1: let it fail with errno; 1: let it be short; 0: nothing.
static int meet(void) {
  calls++;
  if (count_file >= 0) {
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", calls);
    syscall(SYS_pwrite64, count_file, text, (size_t)length, (off_t)0);
  }
  if (calls != fault_at || !fault_with) return 0;
  if (strcmp(fault_with, "kill") == 0) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
  }
  if (strcmp(fault_with, "short") == 0) return 1;
  errno = atoi(fault_with);
  return -1;
}

/// kind, length of path, offset, length of data; then both.
static void note(char kind, const char *path, int64_t offset, const void *data, size_t count) {
  if (log_file < 0) return;
  struct { int64_t kind, path, offset, count; } head = {
    kind, (int64_t)strlen(path), offset, (int64_t)count};
  struct iovec parts[3] = {
    {&head, sizeof head}, {(void *)path, strlen(path)}, {(void *)data, count}};
  syscall(SYS_writev, log_file, parts, data ? 3 : 2);
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

#define GUARDED(condition, path, kind, off, data, count, call) \
  pthread_mutex_lock(&lock); \
  prepare(); \
  int is_ours = (condition); \
  int fault = is_ours ? meet() : 0; \
  if (fault < 0) { pthread_mutex_unlock(&lock); return -1; } \
  __typeof__(call) result = (call); \
  if (is_ours && result >= 0) note(kind, path, off, data, count); \
  pthread_mutex_unlock(&lock); \
  return result

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  char path[PATH_MAX];
  pthread_mutex_lock(&lock);
  prepare();
  int is_ours = path_of(fd, path), fault = is_ours ? meet() : 0;
  if (fault < 0) { pthread_mutex_unlock(&lock); return -1; }
  if (fault > 0 && count > 1) count /= 2;
  ssize_t result = real(fd, data, count, offset);
  if (is_ours && result > 0) note('w', path, offset, data, (size_t)result);
  pthread_mutex_unlock(&lock);
  return result;
}
ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) {
  return pwrite64(fd, data, count, offset);
}

ssize_t write(int fd, const void *data, size_t count) {
  REAL(ssize_t, "write", int, const void *, size_t);
  char path[PATH_MAX];
  pthread_mutex_lock(&lock);
  prepare();
  int is_ours = path_of(fd, path), fault = is_ours ? meet() : 0;
  if (fault < 0) { pthread_mutex_unlock(&lock); return -1; }
  off_t offset = is_ours ? lseek(fd, 0, SEEK_CUR) : 0;
  ssize_t result = real(fd, data, count);
  if (is_ours && result > 0) note('w', path, offset, data, (size_t)result);
  pthread_mutex_unlock(&lock);
  return result;
}

/// Recorded as the write that it is. With FAULT_PIECE the kernel copies no more than that at once.
ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t count, unsigned flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
  char path[PATH_MAX];
  pthread_mutex_lock(&lock);
  prepare();
  int is_ours = out && path_of(to, path), fault = is_ours ? meet() : 0;
  if (fault < 0) { pthread_mutex_unlock(&lock); return -1; }
  if (is_ours && piece && count > piece) count = piece;
  if (fault > 0 && count > 1) count /= 2;
  off_t start = is_ours ? *out : 0;
  ssize_t result = real(from, in, to, out, count, flags);
  char *data = is_ours && log_file >= 0 && result > 0 ? malloc((size_t)result) : NULL;
  if (data && syscall(SYS_pread64, to, data, (size_t)result, start) == result)
    note('w', path, start, data, (size_t)result);
  free(data);
  pthread_mutex_unlock(&lock);
  return result;
}

/// Sharing blocks only; it is not recorded.
int ioctl(int fd, unsigned long request, ...) {
  REAL(int, "ioctl", int, unsigned long, void *);
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  if (request != FICLONERANGE) return real(fd, request, argument);
  char path[PATH_MAX];
  pthread_mutex_lock(&lock);
  prepare();
  int fault = path_of(fd, path) ? meet() : 0;
  int result = fault < 0 ? -1 : real(fd, request, argument);
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  char path[PATH_MAX];
  GUARDED(path_of(fd, path), path, 't', size, NULL, 0, real(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fsync(int fd) {
  REAL(int, "fsync", int);
  char path[PATH_MAX];
  GUARDED(path_of(fd, path), path, 's', 0, NULL, 0, real(fd));
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  char path[PATH_MAX];
  GUARDED(path_of(fd, path), path, 's', 0, NULL, 0, real(fd));
}
int syncfs(int fd) {
  REAL(int, "syncfs", int);
  char path[PATH_MAX];
  GUARDED(path_of(fd, path), path, 'S', 0, NULL, 0, real(fd));
}

int mkdirat(int directory, const char *name, mode_t mode) {
  REAL(int, "mkdirat", int, const char *, mode_t);
  char path[PATH_MAX];
  GUARDED(path_at(directory, name, path), path, 'd', 0, NULL, 0, real(directory, name, mode));
}
int unlinkat(int directory, const char *name, int flags) {
  REAL(int, "unlinkat", int, const char *, int);
  char path[PATH_MAX];
  GUARDED(path_at(directory, name, path), path, 'u', 0, NULL, 0, real(directory, name, flags));
}
int unlink(const char *name) {
  REAL(int, "unlink", const char *);
  char path[PATH_MAX];
  GUARDED(path_at(AT_FDCWD, name, path), path, 'u', 0, NULL, 0, real(name));
}

int renameat2(int from, const char *name, int to, const char *other, unsigned flags) {
  REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
  char path[PATH_MAX];
  GUARDED(path_at(from, name, path), path, 'r', 0, NULL, 0, real(from, name, to, other, flags));
}
int linkat(int from, const char *name, int to, const char *other, int flags) {
  REAL(int, "linkat", int, const char *, int, const char *, int);
  char path[PATH_MAX];
  GUARDED(path_at(to, other, path), path, 'l', 0, NULL, 0, real(from, name, to, other, flags));
}
int symlinkat(const char *target, int to, const char *name) {
  REAL(int, "symlinkat", const char *, int, const char *);
  char path[PATH_MAX];
  GUARDED(path_at(to, name, path), path, 'y', 0, NULL, 0, real(target, to, name));
}
int fchownat(int at, const char *name, uid_t uid, gid_t gid, int flags) {
  REAL(int, "fchownat", int, const char *, uid_t, gid_t, int);
  char path[PATH_MAX];
  GUARDED(name[0] ? path_at(at, name, path) : path_of(at, path), path, 'a', 0, NULL, 0,
          real(at, name, uid, gid, flags));
}
int utimensat(int at, const char *name, const struct timespec times[2], int flags) {
  REAL(int, "utimensat", int, const char *, const struct timespec *, int);
  char path[PATH_MAX];
  // A null name means the descriptor, whatever the declaration says.
  const char *volatile given = name;
  GUARDED(given && given[0] ? path_at(at, given, path) : path_of(at, path), path, 'a', 0, NULL, 0,
          real(at, name, times, flags));
}

static int open_any(int directory, const char *name, int flags, mode_t mode) {
  REAL(int, "openat64", int, const char *, int, ...);
  char path[PATH_MAX];
  if (!(flags & O_CREAT)) return real(directory, name, flags, mode);
  pthread_mutex_lock(&lock);
  prepare();
  int is_ours = path_at(directory, name, path), fault = is_ours ? meet() : 0;
  if (fault < 0) { pthread_mutex_unlock(&lock); return -1; }
  int result = real(directory, name, flags, mode);
  if (is_ours && result >= 0) note('c', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

static mode_t mode_of(int flags, va_list list) {
  return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}
#define OPEN(name, directory) \
  int name { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = mode_of(flags, list); \
    va_end(list); \
    return open_any(directory, path, flags, mode); \
  }
OPEN(openat(int directory, const char *path, int flags, ...), directory)
OPEN(openat64(int directory, const char *path, int flags, ...), directory)
OPEN(open(const char *path, int flags, ...), AT_FDCWD)
OPEN(open64(const char *path, int flags, ...), AT_FDCWD)
