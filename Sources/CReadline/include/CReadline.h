/// What the terminal needs of GNU readline, without its globals.
///
/// One terminal a process, used by one thread; only `strata_terminal_signal` may come from others.
/// Strings are bytes that end with NUL.
#ifndef STRATA_CREADLINE_H
#define STRATA_CREADLINE_H

#include <stdbool.h>
#include <stddef.h>

/// The candidates for one completion, filled by the completer.
typedef struct strata_matches strata_matches;

/// Adds a candidate: what is to stand in the line instead of the word, what the list of candidates
/// shows for it, and whether the word is then whole, so that a space may follow.
/// Returns false when memory is out; the candidate is then left out.
bool strata_matches_add(strata_matches *matches, const char *replacement, const char *shown,
                        bool final);

/// Asked for the ways to go on with the word that ends at the cursor, an offset in `line`.
/// Returns where that word begins.
typedef int strata_completer(void *context, strata_matches *matches, const char *line, int cursor);

/// Sets readline up, takes over SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGCONT, ignores SIGQUIT.
/// `interrupt` is called, on a thread of its own, for a SIGINT that arrives while no line is read.
/// Returns 0, or an errno.
int strata_terminal_start(void *context, strata_completer *completer,
                          void (*interrupt)(void *context));

typedef enum {
  STRATA_LINE,         ///< A line was entered; it is in `*line`, to be freed by the caller.
  STRATA_END,          ///< Ctrl-D on an empty line, or the terminal is gone.
  STRATA_INTERRUPTED,  ///< Ctrl-C: what was typed is dropped.
  STRATA_TERMINATED,   ///< SIGTERM or SIGHUP; `strata_terminal_signal` says which.
} strata_outcome;

/// Drops a Ctrl-C that came since the last line and that nobody has been told of yet; when this
/// returns, nobody is being told of one.
void strata_terminal_settle(void);

/// Reads one line. The terminal is in its usual mode again when this returns.
strata_outcome strata_terminal_read(const char *prompt, char **line);

/// The signal that ended the last `strata_terminal_read` with STRATA_TERMINATED.
int strata_terminal_signal(void);

/// The list of past lines. At most `limit` are kept.
void strata_history_start(int limit);
/// Reads the file; a missing one is an empty one. Returns 0 or an errno.
int strata_history_load(const char *file);
/// Adds a line to the list.
void strata_history_add(const char *line);
/// Writes the last `count` lines of the list behind the end of the file (made with mode 0600), and
/// drops the oldest of the file above `limit`. Returns 0 or an errno.
int strata_history_append(const char *file, int count, int limit);
/// How many lines the list has.
int strata_history_count(void);
/// The line at the index, oldest first; NULL outside the list.
const char *strata_history_line(int index);

#endif
