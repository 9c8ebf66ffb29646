#define _GNU_SOURCE
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

int strata_clone_range(int file, int source, int64_t offset, int64_t count) {
  struct file_clone_range range = {
    .src_fd = source,
    .src_offset = (uint64_t)offset,
    .src_length = (uint64_t)count,
    .dest_offset = (uint64_t)offset,
  };
  return ioctl(file, FICLONERANGE, &range) < 0 ? -errno : 0;
}

ssize_t strata_copy_range(int file, int source, int64_t offset, int64_t count) {
  loff_t from = offset, to = offset;
  ssize_t copied;
  do copied = copy_file_range(source, &from, file, &to, (size_t)count, 0);
  while (copied < 0 && errno == EINTR);
  return copied < 0 ? -errno : copied;
}

int strata_punch_hole(int file, int64_t offset, int64_t count) {
  int result;
  do result = fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int strata_take_room(int file, int64_t offset, int64_t count) {
  int result;
  do result = fallocate(file, FALLOC_FL_KEEP_SIZE, offset, count);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}
