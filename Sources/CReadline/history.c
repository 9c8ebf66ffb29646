#include "CReadline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <readline/readline.h>
#include <readline/history.h>

void strata_history_start(int limit) {
  using_history();
  stifle_history(limit);
  // With a time stamp in front of each, lines that hold a newline come back as one.
  history_comment_char = '#';
  history_write_timestamps = 1;
}

int strata_history_load(const char *file) {
  int error = read_history(file);
  return error == ENOENT ? 0 : error;
}

void strata_history_add(const char *line) { add_history(line); }

int strata_history_append(const char *file, int count, int limit) {
  if (count <= 0) return 0;
  int descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno;
  close(descriptor);
  int error = append_history(count, file);
  return error != 0 ? error : history_truncate_file(file, limit);
}

int strata_history_count(void) { return history_length; }

const char *strata_history_line(int index) {
  if (index < 0 || index >= history_length) return NULL;
  HIST_ENTRY *entry = history_get(history_base + index);
  return entry == NULL ? NULL : entry->line;
}
