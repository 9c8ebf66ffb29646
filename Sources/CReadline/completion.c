#include "completion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

struct strata_matches {
  char **replacements;
  // For rl_display_match_list: [0] is not shown, [1] is the first, NULL at the end.
  char **shown;
  bool *final;
  size_t count, capacity;
};

static strata_completer *completer;
static void *completer_context;

static void clear(strata_matches *matches) {
  for (size_t i = 0; i < matches->count; i++) {
    free(matches->replacements[i]);
    free(matches->shown[i + 1]);
  }
  free(matches->replacements);
  free(matches->shown);
  free(matches->final);
  *matches = (strata_matches){0};
}

/// Room for one more, with those that `shown` has besides.
static bool reserve(strata_matches *matches) {
  if (matches->count + 2 < matches->capacity) return true;
  size_t capacity = matches->capacity == 0 ? 16 : matches->capacity * 2;
  char **replacements = realloc(matches->replacements, capacity * sizeof(char *));
  if (replacements == NULL) return false;
  matches->replacements = replacements;
  char **shown = realloc(matches->shown, capacity * sizeof(char *));
  if (shown == NULL) return false;
  matches->shown = shown;
  bool *final = realloc(matches->final, capacity * sizeof(bool));
  if (final == NULL) return false;
  matches->final = final;
  matches->capacity = capacity;
  return true;
}

bool strata_matches_add(strata_matches *matches, const char *replacement, const char *shown,
                        bool final) {
  if (!reserve(matches)) return false;
  char *first = strdup(replacement), *second = strdup(shown);
  if (first == NULL || second == NULL) {
    free(first);
    free(second);
    return false;
  }
  matches->replacements[matches->count] = first;
  matches->shown[matches->count + 1] = second;
  matches->final[matches->count] = final;
  matches->count += 1;
  return true;
}

/// How many bytes all replacements share at their beginning.
static size_t common_length(const strata_matches *matches) {
  const char *first = matches->replacements[0];
  size_t length = strlen(first);
  for (size_t i = 1; i < matches->count; i++) {
    size_t same = 0;
    while (same < length && matches->replacements[i][same] == first[same]) same++;
    length = same;
  }
  // Not in the middle of a character, nor between a backslash and what it quotes.
  while (length > 0 && (first[length] & 0xC0) == 0x80) length--;
  size_t slashes = 0;
  while (slashes < length && first[length - 1 - slashes] == '\\') slashes++;
  return slashes % 2 == 1 ? length - 1 : length;
}

/// Puts the text in the place of the word that begins at `start` and ends at the cursor.
/// Returns whether that changed anything.
static bool replace(int start, const char *text, size_t length) {
  size_t typed = (size_t)(rl_point - start);
  if (typed == length && memcmp(rl_line_buffer + start, text, length) == 0) return false;
  char *copy = strndup(text, length);
  if (copy == NULL) return false;
  rl_begin_undo_group();
  rl_delete_text(start, rl_point);
  rl_point = start;
  rl_insert_text(copy);
  rl_end_undo_group();
  free(copy);
  return true;
}

/// Asks before a long list is shown.
static bool is_wanted(size_t count) {
  if (rl_completion_query_items <= 0 || count < (size_t)rl_completion_query_items) return true;
  fprintf(rl_outstream, "\nDisplay all %zu possibilities? (y or n)", count);
  fflush(rl_outstream);
  int key = rl_read_key();
  return key == 'y' || key == 'Y' || key == ' ';
}

static void display(strata_matches *matches) {
  if (is_wanted(matches->count)) {
    size_t width = 0;
    for (size_t i = 1; i <= matches->count; i++) {
      size_t length = strlen(matches->shown[i]);
      if (length > width) width = length;
    }
    matches->shown[0] = matches->replacements[0];
    matches->shown[matches->count + 1] = NULL;
    rl_display_match_list(matches->shown, (int)matches->count, (int)width);
  } else {
    fputc('\n', rl_outstream);
  }
  rl_forced_update_display();
}

/// What Tab does: goes on as far as it is clear how, and at the second time in a row, when that is
/// nowhere, shows the ways.
static int complete(int count, int key) {
  (void)count;
  (void)key;
  strata_matches matches = {0};
  int start = completer(completer_context, &matches, rl_line_buffer, rl_point);
  if (matches.count == 0 || start < 0 || start > rl_point) {
    rl_ding();
  } else if (matches.count == 1) {
    const char *only = matches.replacements[0];
    replace(start, only, strlen(only));
    if (matches.final[0] && rl_line_buffer[rl_point] != ' ') rl_insert_text(" ");
  } else {
    size_t length = common_length(&matches);
    // A beginning shorter than what was typed is one that only quoting makes differ.
    bool is_further = length >= (size_t)(rl_point - start) &&
                      replace(start, matches.replacements[0], length);
    if (!is_further && rl_last_func == complete) {
      display(&matches);
    } else if (!is_further) {
      rl_ding();
    }
  }
  clear(&matches);
  return 0;
}

/// For readline's other ways to complete: nothing, rather than the host's files.
static char **nothing(const char *text, int start, int end) {
  (void)text;
  (void)start;
  (void)end;
  rl_attempted_completion_over = 1;
  return NULL;
}

void strata_completion_start(void *context, strata_completer *with) {
  completer = with;
  completer_context = context;
  rl_attempted_completion_function = nothing;
  rl_add_defun("strata-complete", complete, '\t');
}
