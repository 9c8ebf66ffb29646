// Does the same random things, by real system calls, in two directories that should be alike, and
// stops at the first difference: twin-trees A B SEED COUNT. Must be run as root. Both file systems
// are to be mounted with noatime.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { sides = 2, slots = 6, old_time = 500000000 };

static uint64_t state;
static int root[sides];
static int open_files[slots][sides];
static char story[4096];

static uint32_t next(uint32_t bound) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (uint32_t)(z % bound);
}

static void tell(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(story, sizeof story, format, list);
  va_end(list);
}

static long step;
static uint64_t seed;

static void differ(const char *what, const char *a, const char *b) {
  seteuid(0);
  printf("SEED=%llu step %ld: %s\n  %s\n  A: %s\n  B: %s\n", (unsigned long long)seed, step, story,
         what, a, b);
  exit(1);
}

// MARK: What is done

static const char *names[] = {"a", "b", "c", "d1", "d2", "lower-file", "lower-dir", "long-lower",
                              "link"};

static void random_path(char *path) {
  uint32_t depth = 1 + next(3);
  path[0] = 0;
  for (uint32_t i = 0; i < depth; i++) {
    if (i > 0) strcat(path, "/");
    strcat(path, names[next(sizeof names / sizeof *names)]);
  }
  if (next(40) == 0) strcat(path, "/");
  if (next(60) == 0) strcat(path, "/..");
  if (next(60) == 0) strcat(path, "/.");
  if (next(200) == 0) {
    strcat(path, "/");
    size_t at = strlen(path), length = 254 + next(3);
    memset(path + at, 'n', length);
    path[at + length] = 0;
  }
}

static uint32_t random_mode(void) {
  static const uint32_t modes[] = {0644, 0600, 0755, 0777, 0,    04755, 02755,
                                   01777, 02775, 06777, 0400, 0200,  0711};
  return modes[next(sizeof modes / sizeof *modes)];
}

static int fail_or(long result) { return result < 0 ? -errno : (int)result; }

struct call {
  int kind, slot, flags;
  char path[1200], other[1200], name[64];
  uint32_t mode, uid, gid;
  int64_t offset, length;
  uint8_t fill;
};

static int user_of_step;

static const char *call_names[] = {
    "open",    "close",    "write",   "pwrite",  "read",     "ftruncate", "truncate", "mkdir",
    "rmdir",   "unlink",   "rename",  "link",    "symlink",  "mknod",     "chmod",    "chown",
    "utimens", "setxattr", "getxattr", "removexattr", "listxattr", "readlink", "list", "fallocate",
    "access",  "fstat",    "fchmod",  "mmap",    "fsync",    "tmpfile",   "copy",  "fork-append"};
enum { kinds = sizeof call_names / sizeof *call_names };

static const char *xattr_names[] = {"user.one", "user.two", "trusted.one", "security.one",
                                    "system.nothing", "user.", "nonsense"};

static void choose(struct call *call) {
  memset(call, 0, sizeof *call);
  call->kind = (int)next(kinds);
  call->slot = (int)next(slots);
  random_path(call->path);
  random_path(call->other);
  call->mode = random_mode();
  uint32_t ids[] = {0, 1000, 1001, (uint32_t)-1};
  call->uid = ids[next(4)];
  call->gid = ids[next(4)];
  // A change of no owner is the one deviation that there is: see docs/deviations.md.
  if (call->uid == (uint32_t)-1 && call->gid == (uint32_t)-1) call->gid = 0;
  call->offset = next(3) == 0 ? next(300000) : next(9000);
  call->length = next(3) == 0 ? next(100000) : next(5000);
  call->fill = (uint8_t)next(256);
  strcpy(call->name, xattr_names[next(sizeof xattr_names / sizeof *xattr_names)]);
  static const int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR};
  static const int more[] = {0, 0, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND, O_CREAT | O_TRUNC,
                             O_DIRECTORY, O_NOFOLLOW, O_CREAT | O_APPEND, O_DIRECTORY | O_CREAT};
  call->flags = accesses[next(3)] | more[next(sizeof more / sizeof *more)] | O_NONBLOCK;
}

static void describe(const struct call *call) {
  tell("%s slot %d flags %#x path '%.80s' other '%.80s' name %s mode %o uid %d gid %d offset %lld "
       "length %lld fill %d as user %d",
       call_names[call->kind], call->slot, call->flags, call->path, call->other, call->name,
       call->mode, (int)call->uid, (int)call->gid, (long long)call->offset, (long long)call->length, call->fill,
       user_of_step);
}

static uint8_t *filled(size_t length, uint8_t fill) {
  uint8_t *bytes = malloc(length + 1);
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)(fill + i * 7);
  return bytes;
}

static uint64_t digest(const uint8_t *bytes, size_t count) {
  uint64_t sum = 1469598103934665603u;
  for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * 1099511628211u;
  return sum;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(int directory, const char *path, char *text, size_t room) {
  int fd = openat(directory, path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return -errno;
  DIR *stream = fdopendir(fd);
  char *found[512];
  int count = 0;
  struct dirent *entry;
  while ((entry = readdir(stream)) != NULL && count < 512) {
    struct stat status;
    // What the listing says of an entry is what the entry is.
    if (strcmp(entry->d_name, "..") != 0 &&
        fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        (status.st_ino != entry->d_ino || (entry->d_type != DT_UNKNOWN &&
                                           IFTODT(status.st_mode) != entry->d_type)))
      differ("a listing's inode or type", entry->d_name, path);
    found[count++] = strdup(entry->d_name);
  }
  closedir(stream);
  qsort(found, (size_t)count, sizeof *found, compare_names);
  text[0] = 0;
  for (int i = 0; i < count; i++) {
    if (strlen(text) + strlen(found[i]) + 2 < room) {
      strcat(text, found[i]);
      strcat(text, "\n");
    }
    free(found[i]);
  }
  return count;
}

static bool is_now(const struct timespec *time) { return time->tv_sec > 1000000000; }

static void show(const struct stat *status, char *text, size_t room, bool with_size) {
  char modified[40] = "now", accessed[40] = "now";
  if (!is_now(&status->st_mtim))
    snprintf(modified, sizeof modified, "%lld.%09ld", (long long)status->st_mtim.tv_sec,
             status->st_mtim.tv_nsec);
  if (!is_now(&status->st_atim))
    snprintf(accessed, sizeof accessed, "%lld.%09ld", (long long)status->st_atim.tv_sec,
             status->st_atim.tv_nsec);
  bool is_directory = S_ISDIR(status->st_mode);
  snprintf(text, room, "mode %o links %d owner %u:%u size %lld device %x mtime %s atime %s",
           status->st_mode, is_directory ? 0 : (int)status->st_nlink, status->st_uid,
           status->st_gid, is_directory || !with_size ? 0 : (long long)status->st_size,
           (unsigned)status->st_rdev, modified, accessed);
}

static int in_child(int side, const struct call *call) {
  // Another process has the file open, too, and appends through its own descriptor.
  int fd = openat(root[side], call->path, O_WRONLY | O_APPEND | O_NONBLOCK);
  if (fd < 0) return -errno;
  struct stat status;
  fstat(fd, &status);
  if (!S_ISREG(status.st_mode)) {
    close(fd);
    return 0;
  }
  pid_t child = fork();
  uint8_t *bytes = filled(1000, call->fill);
  if (child == 0) _exit(write(fd, bytes, 500) == 500 ? 0 : 1);
  int result = 0;
  waitpid(child, &result, 0);
  int written = fail_or(write(fd, bytes + 500, 500));
  free(bytes);
  close(fd);
  return result * 10000 + written;
}

static int map(int fd, const struct call *call) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -errno;
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return 0;
  size_t size = (size_t)status.st_size;
  uint8_t *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) return -errno;
  uint8_t *private = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  size_t at = (size_t)call->offset % size;
  if (private != MAP_FAILED) {
    private[size - 1 - at] ^= 0x55;
    munmap(private, size);
  }
  shared[at] = call->fill;
  int result = (int)(digest(shared, size) & 0xFFFFFF);
  if (call->flags & O_TRUNC) msync(shared, size, MS_SYNC);
  munmap(shared, size);
  return result;
}

static void switch_user(int user) {
  seteuid(0);
  setegid(0);
  gid_t groups[] = {1001};
  setgroups(user == 1000 ? 1 : 0, groups);
  if (user != 0) {
    setegid((gid_t)user);
    seteuid((uid_t)user);
  }
}

static int perform(const struct call *call, int side, char *text, size_t room) {
  int at = root[side], fd = open_files[call->slot][side];
  const char *path = call->path;
  text[0] = 0;
  switch (call->kind) {
  case 0:
    if (fd >= 0) close(fd);
    fd = openat(at, path, call->flags, call->mode);
    open_files[call->slot][side] = fd;
    return fd < 0 ? -errno : 0;
  case 1: {
    if (fd < 0) return 0;
    int result = fail_or(close(fd));
    open_files[call->slot][side] = -1;
    return result;
  }
  case 2:
  case 3: {
    if (fd < 0) return 0;
    struct stat status;
    fstat(fd, &status);
    if (!S_ISREG(status.st_mode)) return 0;
    uint8_t *bytes = filled((size_t)call->length, call->fill);
    int result = fail_or(call->kind == 2 ? write(fd, bytes, (size_t)call->length)
                                         : pwrite(fd, bytes, (size_t)call->length, call->offset));
    free(bytes);
    return result;
  }
  case 4: {
    if (fd < 0) return 0;
    struct stat status;
    fstat(fd, &status);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
    uint8_t *bytes = malloc((size_t)call->length + 1);
    int result = fail_or(pread(fd, bytes, (size_t)call->length, call->offset));
    if (result > 0) snprintf(text, room, "%llx", (unsigned long long)digest(bytes, (size_t)result));
    free(bytes);
    return result;
  }
  case 5: return fd < 0 ? 0 : fail_or(ftruncate(fd, call->offset));
  case 6: {
    char full[1300];
    snprintf(full, sizeof full, "/proc/self/fd/%d/%s", at, path);
    return fail_or(truncate(full, call->offset));
  }
  case 7: return fail_or(mkdirat(at, path, call->mode));
  case 8: return fail_or(unlinkat(at, path, AT_REMOVEDIR));
  case 9: return fail_or(unlinkat(at, path, 0));
  case 10: {
    unsigned flags = call->fill < 40 ? RENAME_EXCHANGE : call->fill < 70 ? RENAME_NOREPLACE : 0;
    return fail_or(renameat2(at, path, at, call->other, flags));
  }
  case 11: return fail_or(linkat(at, path, at, call->other, 0));
  case 12: return fail_or(symlinkat(call->other, at, path));
  case 13: {
    static const uint32_t types[] = {S_IFIFO, S_IFREG, S_IFCHR, S_IFBLK, S_IFSOCK};
    return fail_or(mknodat(at, path, types[call->fill % 5] | call->mode,
                           makedev(call->fill, 70000 + call->fill)));
  }
  case 14: return fail_or(fchmodat(at, path, call->mode, 0));
  case 15:
    return fail_or(fchownat(at, path, call->uid, call->gid,
                            call->fill & 1 ? AT_SYMLINK_NOFOLLOW : 0));
  case 16: {
    struct timespec times[2] = {{old_time + call->fill, call->fill * 1000003},
                                {old_time + call->fill * 2, 5}};
    if (call->fill % 5 == 0) times[0].tv_nsec = UTIME_OMIT;
    if (call->fill % 7 == 0) times[1].tv_nsec = UTIME_NOW;
    return fail_or(utimensat(at, path, times, call->fill & 1 ? AT_SYMLINK_NOFOLLOW : 0));
  }
  case 17:
  case 18:
  case 19:
  case 20: {
    int file = openat(at, path, O_PATH | (call->fill & 1 ? O_NOFOLLOW : 0));
    if (file < 0) return -errno;
    char full[64], value[2000];  // ext4 has room for little
    snprintf(full, sizeof full, "/proc/self/fd/%d", file);
    int result;
    if (call->kind == 17) {
      memset(value, call->fill, sizeof value);
      result = fail_or(setxattr(full, call->name, value, (size_t)call->length % 150,
                                call->fill % 3 == 0 ? XATTR_CREATE : 0));
    } else if (call->kind == 18) {
      result = fail_or(getxattr(full, call->name, value, (size_t)call->length % sizeof value));
      if (result > 0) snprintf(text, room, "%d", value[0]);
    } else if (call->kind == 19) {
      result = fail_or(removexattr(full, call->name));
    } else {
      ssize_t size = listxattr(full, value, sizeof value);
      char *found[16];
      int count = 0;
      for (char *name = value; size > 0 && name < value + size && count < 16;
           name += strlen(name) + 1)
        found[count++] = name;
      qsort(found, (size_t)count, sizeof *found, compare_names);
      for (int i = 0; i < count; i++) {
        strcat(text, found[i]);
        strcat(text, " ");
      }
      result = fail_or(size);
    }
    close(file);
    return result;
  }
  case 21: {
    char target[1300];
    int result = fail_or(readlinkat(at, path, target, sizeof target - 1));
    if (result > 0) snprintf(text, room, "%.*s", result, target);
    return result;
  }
  case 22: return list(at, path, text, room);
  case 23: {
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_ZERO_RANGE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
    return fd < 0 ? 0 : fail_or(fallocate(fd, modes[call->fill % 5], call->offset, call->length));
  }
  case 24: return fail_or(faccessat(at, path, (int)(call->fill % 8), AT_EACCESS));
  case 25:
  case 26: {
    if (fd < 0) return 0;
    int result = call->kind == 26 ? fail_or(fchmod(fd, call->mode)) : 0;
    struct stat status;
    if (fstat(fd, &status) != 0) return -errno;
    show(&status, text, room, true);
    return result;
  }
  case 27: return fd < 0 ? 0 : map(fd, call);
  case 28: return fd < 0 ? 0 : fail_or(fsync(fd));
  case 29: {
    int file = openat(at, path, O_TMPFILE | O_RDWR, call->mode);
    if (file < 0) return -errno;
    int result = fail_or(write(file, "temporary", 9));
    struct stat status;
    fstat(file, &status);
    show(&status, text, room, true);
    if (result == 9 && call->fill & 1) {
      char full[64];
      snprintf(full, sizeof full, "/proc/self/fd/%d", file);
      result = fail_or(linkat(AT_FDCWD, full, at, call->other, AT_SYMLINK_FOLLOW));
    }
    close(file);
    return result;
  }
  case 30: {
    int target = open_files[(call->slot + 1) % slots][side];
    if (fd < 0 || target < 0) return 0;
    struct stat status;
    fstat(fd, &status);
    if (!S_ISREG(status.st_mode)) return 0;
    fstat(target, &status);
    if (!S_ISREG(status.st_mode)) return 0;
    off_t from = call->offset, to = call->offset / 2;
    return fail_or(copy_file_range(fd, &from, target, &to, (size_t)call->length, 0));
  }
  default: return in_child(side, call);
  }
}

// Overlayfs changes the times of directories by a rename that does nothing: one that is refused, or
// from one name of a file to another. Others do not, and so the times are made the same.
static void forget_times(const char *path) {
  char parent[sizeof ((struct call *)NULL)->path];
  snprintf(parent, sizeof parent, "%s", path);
  size_t length = strlen(parent);
  while (length > 0 && parent[length - 1] == '/') parent[--length] = 0;
  char *slash = strrchr(parent, '/');
  if (slash == NULL)
    strcpy(parent, ".");
  else
    *slash = 0;
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = old_time}};
  for (int side = 0; side < sides; side++) utimensat(root[side], parent, times, 0);
}

static bool is_one_file(const struct call *call) {
  struct stat from, to;
  return fstatat(root[0], call->path, &from, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstatat(root[0], call->other, &to, AT_SYMLINK_NOFOLLOW) == 0 &&
         from.st_ino == to.st_ino;
}

// MARK: What is compared

static void compare_trees(int a, int b, const char *where) {
  static char texts[sides][70000];
  int counts[sides] = {list(a, ".", texts[0], sizeof texts[0]),
                       list(b, ".", texts[1], sizeof texts[1])};
  if (counts[0] != counts[1] || strcmp(texts[0], texts[1]) != 0) differ(where, texts[0], texts[1]);
  char *names = strdup(texts[0]);
  char *rest = NULL;
  for (char *name = strtok_r(names, "\n", &rest); name != NULL;
       name = strtok_r(NULL, "\n", &rest)) {
    if (strcmp(name, "..") == 0) continue;
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", where, name);
    struct stat status[sides];
    int directories[sides] = {a, b};
    char shown[sides][300];
    for (int side = 0; side < sides; side++) {
      if (fstatat(directories[side], name, &status[side], AT_SYMLINK_NOFOLLOW) != 0)
        snprintf(shown[side], sizeof shown[side], "errno %d", errno);
      else
        show(&status[side], shown[side], sizeof shown[side], true);
    }
    if (strcmp(shown[0], shown[1]) != 0) differ(path, shown[0], shown[1]);
    if (strcmp(name, ".") == 0) continue;
    if (S_ISDIR(status[0].st_mode)) {
      int children[sides] = {openat(a, name, O_RDONLY | O_DIRECTORY),
                             openat(b, name, O_RDONLY | O_DIRECTORY)};
      if (children[0] < 0 || children[1] < 0) differ(path, "cannot be opened", strerror(errno));
      compare_trees(children[0], children[1], path);
      close(children[0]);
      close(children[1]);
    } else if (S_ISREG(status[0].st_mode)) {
      uint64_t sums[sides];
      for (int side = 0; side < sides; side++) {
        int fd = openat(directories[side], name, O_RDONLY);
        size_t size = (size_t)status[0].st_size;
        uint8_t *bytes = calloc(1, size + 1);
        ssize_t count = fd < 0 ? -errno : pread(fd, bytes, size + 1, 0);
        sums[side] = digest(bytes, size) ^ (uint64_t)count;
        free(bytes);
        close(fd);
      }
      if (sums[0] != sums[1]) differ(path, "content", "content");
    }
  }
  free(names);
}

int main(int count, char **words) {
  if (count != 5) {
    fprintf(stderr, "usage: twin-trees A B SEED COUNT\n");
    return 64;
  }
  for (int side = 0; side < sides; side++) {
    root[side] = open(words[1 + side], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root[side] < 0) {
      perror(words[1 + side]);
      return 66;
    }
  }
  for (int slot = 0; slot < slots; slot++)
    for (int side = 0; side < sides; side++) open_files[slot][side] = -1;
  seed = state = strtoull(words[3], NULL, 10);
  long steps = strtol(words[4], NULL, 10);
  long done[kinds] = {0};
  // Every how many steps the whole trees are compared; 1 finds the very call.
  long every = getenv("TWIN_EVERY") ? strtol(getenv("TWIN_EVERY"), NULL, 10) : 50;
  umask(022);
  for (step = 0; step < steps; step++) {
    struct call call;
    choose(&call);
    user_of_step = next(3) != 0 ? 0 : next(2) ? 1000 : 1001;
    describe(&call);
    static char texts[sides][70000];
    int results[sides];
    switch_user(user_of_step);
    for (int side = 0; side < sides; side++)
      results[side] = perform(&call, side, texts[side], sizeof texts[side]);
    switch_user(0);
    if (results[0] != results[1] || strcmp(texts[0], texts[1]) != 0) {
      static char shown[sides][71000];
      for (int side = 0; side < sides; side++)
        snprintf(shown[side], sizeof shown[side], "%d (%s) %s", results[side],
                 results[side] < 0 ? strerror(-results[side]) : "", texts[side]);
      differ("results", shown[0], shown[1]);
    }
    if (call.kind == 10 && (results[0] < 0 || is_one_file(&call))) {
      forget_times(call.path);
      forget_times(call.other);
    }
    if (results[0] >= 0) done[call.kind]++;
    if (getenv("TWIN_TRACE")) printf("%ld %s = %d\n", step, story, results[0]);
    if (step % every == every - 1) compare_trees(root[0], root[1], "");
  }
  compare_trees(root[0], root[1], "");
  if (getenv("TWIN_COUNTS"))
    for (int kind = 0; kind < kinds; kind++) printf("%s %ld\n", call_names[kind], done[kind]);
  return 0;
}
