#ifndef STRATA_SPAWN_DIRECTORY_H
#define STRATA_SPAWN_DIRECTORY_H


/// Has a program that is started with these actions, posix_spawn_file_actions_t, begin in a
/// directory. Returns 0 or an errno.
int strata_spawn_in_directory(void *actions, const char *path);

#endif
