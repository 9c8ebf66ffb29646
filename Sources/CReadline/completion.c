#include "completion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

struct strata_matches {
  // As readline wants them: [0] is what all have in common, NULL at the end; all malloc'd.
  char **replacements;
  char **shown;
  size_t count, capacity;
};

static strata_completer *completer;
static void *completer_context;
/// The list shown for the last completion, for `display`; it is freed at the next one.
static strata_matches last;

static void clear(strata_matches *matches) {
  for (size_t i = 1; i <= matches->count; i++) {
    if (matches->replacements != NULL) free(matches->replacements[i]);
    free(matches->shown[i]);
  }
  free(matches->replacements);
  free(matches->shown);
  *matches = (strata_matches){0};
}

/// Room for one more, for [0] and for the NULL.
static bool reserve(strata_matches *matches) {
  if (matches->count + 2 < matches->capacity) return true;
  size_t capacity = matches->capacity == 0 ? 16 : matches->capacity * 2;
  char **replacements = realloc(matches->replacements, capacity * sizeof(char *));
  if (replacements == NULL) return false;
  matches->replacements = replacements;
  char **shown = realloc(matches->shown, capacity * sizeof(char *));
  if (shown == NULL) return false;
  matches->shown = shown;
  matches->capacity = capacity;
  return true;
}

bool strata_matches_add(strata_matches *matches, const char *replacement, const char *shown) {
  if (!reserve(matches)) return false;
  char *first = strdup(replacement), *second = strdup(shown);
  if (first == NULL || second == NULL) {
    free(first);
    free(second);
    return false;
  }
  matches->count += 1;
  matches->replacements[matches->count] = first;
  matches->shown[matches->count] = second;
  return true;
}

/// The longest beginning that all replacements share, malloc'd.
static char *common_prefix(const strata_matches *matches) {
  const char *first = matches->replacements[1];
  size_t length = strlen(first);
  for (size_t i = 2; i <= matches->count; i++) {
    size_t same = 0;
    while (same < length && matches->replacements[i][same] == first[same]) same++;
    length = same;
  }
  // Not in the middle of a character, nor between a backslash and what it quotes.
  while (length > 0 && (first[length] & 0xC0) == 0x80) length--;
  size_t slashes = 0;
  while (slashes < length && first[length - 1 - slashes] == '\\') slashes++;
  if (slashes % 2 == 1) length--;
  return strndup(first, length);
}

static char **complete(const char *text, int start, int end) {
  (void)text;
  rl_attempted_completion_over = 1;  // never the host's files
  rl_completion_append_character = ' ';
  clear(&last);
  completer(completer_context, &last, rl_line_buffer, start, end,
            (char)rl_completion_quote_character);
  if (last.count == 0) return NULL;
  char *prefix = common_prefix(&last);
  if (prefix == NULL) return NULL;
  char **matches = last.replacements;
  matches[0] = prefix;
  matches[last.count + 1] = NULL;
  last.replacements = NULL;  // readline frees them
  if (last.count == 1) {
    free(matches[1]);
    matches[1] = NULL;
    size_t length = strlen(matches[0]);
    // A directory: what follows is a name in it.
    if (length > 0 && matches[0][length - 1] == '/') {
      rl_completion_suppress_append = 1;
      rl_completion_suppress_quote = 1;
    }
  }
  return matches;
}

/// Asks before a long list is shown, as readline does without a display hook.
static bool is_wanted(int count) {
  if (rl_completion_query_items <= 0 || count < rl_completion_query_items) return true;
  fprintf(rl_outstream, "\nDisplay all %d possibilities? (y or n)", count);
  fflush(rl_outstream);
  int key = rl_read_key();
  return key == 'y' || key == 'Y' || key == ' ';
}

/// Shows the candidates by their short names.
static void display(char **matches, int count, int longest) {
  (void)longest;
  if (!is_wanted(count)) {
    fputc('\n', rl_outstream);
  } else if (last.count != (size_t)count || last.count == 0) {
    rl_display_match_list(matches, count, longest);
  } else {
    size_t width = 0;
    for (size_t i = 1; i <= last.count; i++) {
      size_t length = strlen(last.shown[i]);
      if (length > width) width = length;
    }
    last.shown[0] = matches[0];
    last.shown[last.count + 1] = NULL;
    fputc('\n', rl_outstream);
    rl_display_match_list(last.shown, count, (int)width);
  }
  rl_forced_update_display();
}

/// Whether a backslash quotes the character at the index.
static int is_quoted(char *line, int index) {
  int slashes = 0;
  while (index - 1 - slashes >= 0 && line[index - 1 - slashes] == '\\') slashes++;
  return slashes % 2;
}

void strata_completion_start(void *context, strata_completer *with) {
  completer = with;
  completer_context = context;
  rl_attempted_completion_function = complete;
  rl_completion_display_matches_hook = display;
  rl_completer_word_break_characters = " \t\n;&|<>";
  rl_completer_quote_characters = "'\"";
  rl_char_is_quoted_p = is_quoted;
  rl_ignore_completion_duplicates = 0;  // keeps `last` and readline's list in step
  rl_sort_completion_matches = 0;
}
