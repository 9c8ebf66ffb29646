#define _GNU_SOURCE
#include "spawn_directory.h"

#include <spawn.h>

int strata_spawn_in_directory(void *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}
