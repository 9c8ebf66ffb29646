#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// The headers may be older than the kernel.
enum {
  call_open_tree = 428,
  call_move_mount = 429,
  call_fsopen = 430,
  call_fsconfig = 431,
  call_fsmount = 432,
  call_mount_setattr = 442,
};
enum { config_flag = 0, config_string = 1, config_create = 6 };
enum { attribute_read_only = 1, attribute_no_set_user = 2, attribute_no_devices = 4, attribute_no_programs = 8,
       attribute_no_access_times = 16 };

struct mount_attributes {
  uint64_t set, clear, propagation, userns;
};

struct backing_map {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};

#define DEVICE_CLONE 0x8004e500u
#define BACKING_OPEN 0x4010e501u
#define BACKING_CLOSE 0x4004e502u

static int result(long value) { return value < 0 ? -errno : (int)value; }

int strata_fuse_open(void) { return result(open("/dev/fuse", O_RDWR | O_CLOEXEC)); }

int strata_fuse_clone(int device) {
  int copy = strata_fuse_open();
  if (copy < 0) return copy;
  uint32_t number = (uint32_t)device;
  if (ioctl(copy, DEVICE_CLONE, &number) == 0) return copy;
  int error = errno;
  close(copy);
  return -error;
}

static int set_string(int context, const char *key, const char *value) {
  return result(syscall(call_fsconfig, context, config_string, key, value, 0));
}

static int set_flag(int context, const char *key) {
  return result(syscall(call_fsconfig, context, config_flag, key, NULL, 0));
}

static int configure(int context, int device, const struct strata_fuse_mount *how) {
  char number[24];
  const char *key = "source";
  int error = set_string(context, key, how->source);
  if (error == 0) error = set_string(context, "subtype", how->subtype);
  snprintf(number, sizeof number, "%d", device);
  if (error == 0) error = set_string(context, "fd", number);
  if (error == 0) error = set_string(context, "rootmode", "40000");
  snprintf(number, sizeof number, "%u", how->uid);
  if (error == 0) error = set_string(context, "user_id", number);
  snprintf(number, sizeof number, "%u", how->gid);
  if (error == 0) error = set_string(context, "group_id", number);
  if (error == 0) error = set_flag(context, "default_permissions");
  if (error == 0 && how->allow_other) error = set_flag(context, "allow_other");
  if (error == 0) error = result(syscall(call_fsconfig, context, config_create, NULL, NULL, 0));
  return error;
}

static unsigned attributes(bool read_only, bool no_devices, bool no_set_user, bool no_programs,
                           bool no_access_times) {
  return (read_only ? attribute_read_only : 0) | (no_devices ? attribute_no_devices : 0) |
         (no_set_user ? attribute_no_set_user : 0) | (no_programs ? attribute_no_programs : 0) |
         (no_access_times ? attribute_no_access_times : 0);
}

int strata_fuse_make_mount(int device, const struct strata_fuse_mount *how) {
  int context = result(syscall(call_fsopen, "fuse", 1));
  if (context < 0) return context;
  int mount = configure(context, device, how);
  if (mount == 0) {
    unsigned wanted = attributes(how->read_only, how->no_devices, how->no_set_user,
                                 how->no_programs, how->no_access_times);
    mount = result(syscall(call_fsmount, context, 1, wanted));
  }
  close(context);
  return mount;
}

int strata_attach_mount(int mount, const char *path) {
  // MOVE_MOUNT_F_EMPTY_PATH
  return result(syscall(call_move_mount, mount, "", AT_FDCWD, path, 4));
}

int strata_copy_mount(int directory, const char *path, bool recursive) {
  // OPEN_TREE_CLONE
  unsigned flags = 1 | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? 0x8000 : 0);
  return result(syscall(call_open_tree, directory, path, flags));
}

int strata_make_read_only(int mount) {
  struct mount_attributes attributes = {.set = attribute_read_only};
  return result(syscall(call_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes,
                        sizeof attributes));
}

int strata_set_mount(int mount, bool read_only, bool no_devices, bool no_set_user, bool no_programs,
                     bool no_access_times) {
  // MOUNT_ATTR__ATIME: which of its values is set.
  enum { access_times = 0x70 };
  uint64_t wanted = attributes(read_only, no_devices, no_set_user, no_programs, no_access_times);
  uint64_t all = attributes(true, true, true, true, false);
  struct mount_attributes how = {.set = wanted, .clear = (all & ~wanted) | access_times};
  return result(syscall(call_mount_setattr, mount, "", AT_EMPTY_PATH, &how, sizeof how));
}

int strata_unmount(const char *path, bool lazily) {
  return result(umount2(path, UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0)));
}

unsigned strata_device_major(uint64_t device) { return major(device); }
unsigned strata_device_minor(uint64_t device) { return minor(device); }

int strata_watch_file_system(const char *path) {
  int watch = result(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (watch < 0) return watch;
  // The event that is waited for comes unasked; this one does not come.
  if (inotify_add_watch(watch, path, IN_MOVE_SELF | IN_DONT_FOLLOW) >= 0) return watch;
  int error = errno;
  close(watch);
  return -error;
}

bool strata_has_ended(int watch) {
  struct inotify_event event;
  while (read(watch, &event, sizeof event) == sizeof event)
    if (event.mask & IN_UNMOUNT) return true;
  return false;
}

int strata_process(int pid) { return result((int)syscall(SYS_pidfd_open, pid, 0)); }

int strata_fuse_backing_open(int device, int file) {
  struct backing_map map = {.fd = file};
  return result(ioctl(device, BACKING_OPEN, &map));
}

int strata_fuse_backing_close(int device, int id) {
  uint32_t number = (uint32_t)id;
  return result(ioctl(device, BACKING_CLOSE, &number));
}
