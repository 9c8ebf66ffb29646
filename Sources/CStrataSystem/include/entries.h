#ifndef STRATA_ENTRIES_H
#define STRATA_ENTRIES_H

#include <stdint.h>
#include <sys/types.h>

/// What it takes to make things on the host and give them their attributes. All return 0 (or a
/// descriptor) or -errno.

/// openat(2), which is variadic; -1 as directory is the working directory.
int strata_open_at(int directory, const char *path, int flags, uint32_t mode);

/// renameat2(2) within one directory; `keep_existing` is RENAME_NOREPLACE.
int strata_rename_within(int directory, const char *from, const char *to, int keep_existing);

/// Of what any descriptor, one of O_PATH too, refers to. UINT32_MAX leaves an owner as it is.
int strata_set_owner(int fd, uint32_t uid, uint32_t gid);
int strata_set_mode(int fd, uint32_t mode);
int strata_set_xattr(int fd, const char *name, const void *value, size_t size);

int strata_remove_xattr(int fd, const char *name);

/// Nanoseconds since 1970; a null pointer leaves a time as it is.
int strata_set_times(int fd, const int64_t *accessed, const int64_t *modified);

/// renameat2(2); with RENAME_NOREPLACE, or with RENAME_EXCHANGE if `exchange` is not 0.
int strata_rename(
    int directory, const char *from, int other, const char *to, int exchange);

/// syncfs(2).
int strata_sync_file_system(int fd);

extern const int strata_o_nofollow;

#endif
