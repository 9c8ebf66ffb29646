#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>

#include "machine.h"

/// Lua's patterns (reference manual §6.4.1) with every step charged to the budget: the matcher of
/// the library may go back for hours where no count hook reaches it.

enum { CAPTURES = 32, NESTING = 200, OPEN = -1, POSITION = -2 };

struct capture {
  const char *start;
  ptrdiff_t size;  // or OPEN, or POSITION
};

struct matcher {
  lua_State *L;
  const char *text, *text_end, *pattern_end;
  struct capture captures[CAPTURES];
  int count, nesting;
  int64_t steps;
};

static const char *match(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m) {
  if (++m->steps < 1024) return;
  machine_charge(m->L, m->steps);
  m->steps = 0;
}

/// Behind the single-character class that begins at `p`.
static const char *class_end(struct matcher *m, const char *p) {
  if (p == m->pattern_end) luaL_error(m->L, "malformed pattern");
  char first = *p++;
  if (first == '%') {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < m->pattern_end && *p == '^') p++;
  do {  // A ']' that comes first is one of the set.
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    if (*p++ == '%') {
      if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
      p++;
    }
  } while (p == m->pattern_end || *p != ']');
  return p + 1;
}

static bool is_in_class(int c, int class) {
  bool is_in;
  switch (tolower(class)) {
    case 'a': is_in = isalpha(c); break;
    case 'c': is_in = iscntrl(c); break;
    case 'd': is_in = isdigit(c); break;
    case 'g': is_in = isgraph(c); break;
    case 'l': is_in = islower(c); break;
    case 'p': is_in = ispunct(c); break;
    case 's': is_in = isspace(c); break;
    case 'u': is_in = isupper(c); break;
    case 'w': is_in = isalnum(c); break;
    case 'x': is_in = isxdigit(c); break;
    default: return class == c;
  }
  return isupper(class) ? !is_in : is_in;
}

/// Whether the set from `[` at `p` to `]` at `last` holds the character.
static bool is_in_set(int c, const char *p, const char *last) {
  bool is_negated = p[1] == '^';
  if (is_negated) p++;
  while (++p < last) {
    if (*p == '%') {
      if (is_in_class(c, (unsigned char)*++p)) return !is_negated;
    } else if (p + 2 < last && p[1] == '-') {
      if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return !is_negated;
      p += 2;
    } else if ((unsigned char)*p == c) {
      return !is_negated;
    }
  }
  return is_negated;
}

static bool is_single(struct matcher *m, const char *s, const char *p, const char *end) {
  if (s >= m->text_end) return false;
  int c = (unsigned char)*s;
  switch (*p) {
    case '.': return true;
    case '%': return is_in_class(c, (unsigned char)p[1]);
    case '[': return is_in_set(c, p, end - 1);
    default: return (unsigned char)*p == c;
  }
}

static const char *match_balance(struct matcher *m, const char *s, const char *p) {
  if (m->pattern_end - p < 2) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->text_end || *s != *p) return NULL;
  int depth = 1;
  while (++s < m->text_end) {
    step(m);
    if (*s == p[1]) {
      if (--depth == 0) return s + 1;
    } else if (*s == p[0]) {
      depth++;
    }
  }
  return NULL;
}

static const char *match_longest(struct matcher *m, const char *s, const char *p, const char *end) {
  ptrdiff_t count = 0;
  while (is_single(m, s + count, p, end)) {
    step(m);
    count++;
  }
  for (; count >= 0; count--) {
    step(m);
    const char *found = match(m, s + count, end + 1);
    if (found) return found;
  }
  return NULL;
}

static const char *match_shortest(struct matcher *m, const char *s, const char *p,
                                  const char *end) {
  for (;; s++) {
    step(m);
    const char *found = match(m, s, end + 1);
    if (found) return found;
    if (!is_single(m, s, p, end)) return NULL;
  }
}

static const char *match_open(struct matcher *m, const char *s, const char *p, ptrdiff_t size) {
  if (m->count >= CAPTURES) luaL_error(m->L, "too many captures");
  m->captures[m->count++] = (struct capture){s, size};
  const char *found = match(m, s, p);
  if (!found) m->count--;
  return found;
}

static const char *match_close(struct matcher *m, const char *s, const char *p) {
  int index = m->count;
  while (--index >= 0 && m->captures[index].size != OPEN) continue;
  if (index < 0) luaL_error(m->L, "invalid pattern capture");
  m->captures[index].size = s - m->captures[index].start;
  const char *found = match(m, s, p);
  if (!found) m->captures[index].size = OPEN;
  return found;
}

static const char *match_again(struct matcher *m, const char *s, int digit) {
  int index = digit - '1';
  if (index < 0 || index >= m->count || m->captures[index].size == OPEN)
    luaL_error(m->L, "invalid capture index %%%d", index + 1);
  struct capture *capture = &m->captures[index];
  if (capture->size < 0 || m->text_end - s < capture->size) return NULL;
  return memcmp(s, capture->start, (size_t)capture->size) ? NULL : s + capture->size;
}

static bool is_frontier(struct matcher *m, const char *s, const char *p, const char *end) {
  int before = s == m->text ? 0 : (unsigned char)s[-1];
  int after = s < m->text_end ? (unsigned char)*s : 0;
  return !is_in_set(before, p, end - 1) && is_in_set(after, p, end - 1);
}

/// The end of a match that begins at `s`, or NULL. What can be gone on with here is; only choices
/// go deeper.
static const char *match(struct matcher *m, const char *s, const char *p) {
  if (++m->nesting > NESTING) luaL_error(m->L, "pattern too complex");
  for (;;) {
    step(m);
    if (p == m->pattern_end) break;
    if (*p == '(') {
      bool is_position = p + 1 < m->pattern_end && p[1] == ')';
      s = is_position ? match_open(m, s, p + 2, POSITION) : match_open(m, s, p + 1, OPEN);
      break;
    }
    if (*p == ')') {
      s = match_close(m, s, p + 1);
      break;
    }
    if (*p == '$' && p + 1 == m->pattern_end) {
      s = s == m->text_end ? s : NULL;
      break;
    }
    if (*p == '%' && p + 1 < m->pattern_end) {
      char kind = p[1];
      if (kind == 'b') {
        s = match_balance(m, s, p + 2);
        p += 4;
        if (!s) break;
        continue;
      }
      if (kind == 'f') {
        if (p + 2 >= m->pattern_end || p[2] != '[')
          luaL_error(m->L, "missing '[' after '%%f' in pattern");
        const char *end = class_end(m, p + 2);
        if (!is_frontier(m, s, p + 2, end)) {
          s = NULL;
          break;
        }
        p = end;
        continue;
      }
      if (isdigit((unsigned char)kind)) {
        s = match_again(m, s, kind);
        p += 2;
        if (!s) break;
        continue;
      }
    }
    const char *end = class_end(m, p);
    char repeat = end < m->pattern_end ? *end : 0;
    if (repeat == '*') {
      s = match_longest(m, s, p, end);
      break;
    }
    if (repeat == '-') {
      s = match_shortest(m, s, p, end);
      break;
    }
    if (repeat == '+') {
      s = is_single(m, s, p, end) ? match_longest(m, s + 1, p, end) : NULL;
      break;
    }
    if (repeat == '?') {
      const char *found = is_single(m, s, p, end) ? match(m, s + 1, end + 1) : NULL;
      if (found) {
        s = found;
        break;
      }
      p = end + 1;
      continue;
    }
    if (!is_single(m, s, p, end)) {
      s = NULL;
      break;
    }
    s++;
    p = end;
  }
  m->nesting--;
  return s;
}

static void start(struct matcher *m, lua_State *L, const char *text, size_t size,
                  const char *pattern, size_t pattern_size) {
  m->L = L;
  m->text = text;
  m->text_end = text + size;
  m->pattern_end = pattern + pattern_size;
  m->steps = 0;
}

static const char *match_at(struct matcher *m, const char *s, const char *p) {
  m->count = m->nesting = 0;
  return match(m, s, p);
}

static void push_capture(struct matcher *m, int index, const char *s, const char *e) {
  if (index >= m->count) {
    if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, s, (size_t)(e - s));
    return;
  }
  struct capture *capture = &m->captures[index];
  if (capture->size == OPEN) luaL_error(m->L, "unfinished capture");
  if (capture->size == POSITION) lua_pushinteger(m->L, capture->start - m->text + 1);
  else lua_pushlstring(m->L, capture->start, (size_t)capture->size);
}

/// All captures, or the whole match where there are none.
static int push_captures(struct matcher *m, const char *s, const char *e) {
  int count = m->count == 0 && s ? 1 : m->count;
  luaL_checkstack(m->L, count, "too many captures");
  for (int index = 0; index < count; index++) push_capture(m, index, s, e);
  return count;
}

/// From 1; negative counts from the end. Past the end by more than one is SIZE_MAX.
static size_t start_offset(lua_State *L, int argument, size_t size) {
  lua_Integer init = luaL_optinteger(L, argument, 1);
  if (init < 0) init = (lua_Integer)size + init < 0 ? 1 : (lua_Integer)size + init + 1;
  if (init == 0) init = 1;
  return (size_t)init - 1 > size ? SIZE_MAX : (size_t)init - 1;
}

static bool is_plain(const char *pattern, size_t size) {
  for (size_t index = 0; index < size; index++)
    if (memchr("^$*+?.([%-", pattern[index], 10)) return false;
  return true;
}

static int find_plain(lua_State *L, const char *text, size_t size, const char *pattern,
                      size_t pattern_size, size_t from) {
  machine_charge(L, (int64_t)(size / 64) + 1);
  const char *found = pattern_size == 0
    ? text + from : memmem(text + from, size - from, pattern, pattern_size);
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, found - text + 1);
  lua_pushinteger(L, found - text + (lua_Integer)pattern_size);
  return 2;
}

static int search(lua_State *L, bool is_find) {
  size_t size, pattern_size;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &pattern_size);
  size_t from = start_offset(L, 3, size);
  if (from == SIZE_MAX) {
    lua_pushnil(L);
    return 1;
  }
  if (is_find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_size)))
    return find_plain(L, text, size, pattern, pattern_size, from);
  struct matcher m;
  start(&m, L, text, size, pattern, pattern_size);
  bool is_anchored = pattern_size > 0 && *pattern == '^';
  const char *p = pattern + is_anchored;
  for (const char *s = text + from; s <= m.text_end; s++) {
    const char *e = match_at(&m, s, p);
    if (e && is_find) {
      lua_pushinteger(L, s - text + 1);
      lua_pushinteger(L, e - text);
      return push_captures(&m, NULL, NULL) + 2;
    }
    if (e) return push_captures(&m, s, e);
    if (is_anchored) break;
  }
  machine_charge(L, m.steps);
  lua_pushnil(L);
  return 1;
}

static int string_find(lua_State *L) { return search(L, true); }
static int string_match(lua_State *L) { return search(L, false); }

/// Upvalues: text, pattern, where to go on, the end of the last match (-1 for none).
static int gmatch_next(lua_State *L) {
  size_t size, pattern_size;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &size);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_size);
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  struct matcher m;
  start(&m, L, text, size, pattern, pattern_size);
  for (const char *s = text + lua_tointeger(L, lua_upvalueindex(3)); s <= m.text_end; s++) {
    const char *e = match_at(&m, s, pattern);
    if (!e || e - text == last) continue;
    lua_pushinteger(L, e - text);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(&m, s, e);
  }
  machine_charge(L, m.steps);
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t size;
  luaL_checklstring(L, 1, &size);
  luaL_checkstring(L, 2);
  size_t from = start_offset(L, 3, size);
  lua_settop(L, 2);
  lua_pushinteger(L, from == SIZE_MAX ? (lua_Integer)size + 1 : (lua_Integer)from);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_next, 4);
  return 1;
}

/// Adds the replacement string with its `%1`s filled in.
static void add_template(struct matcher *m, luaL_Buffer *out, const char *s, const char *e) {
  size_t size;
  const char *text = lua_tolstring(m->L, 3, &size);
  for (size_t index = 0; index < size; index++) {
    if (text[index] != '%') {
      luaL_addchar(out, text[index]);
      continue;
    }
    char next = ++index < size ? text[index] : 0;
    if (next == '%') {
      luaL_addchar(out, '%');
    } else if (next == '0') {
      luaL_addlstring(out, s, (size_t)(e - s));
    } else if (isdigit((unsigned char)next)) {
      push_capture(m, next - '1', s, e);
      luaL_tolstring(m->L, -1, NULL);
      lua_remove(m->L, -2);
      luaL_addvalue(out);
    } else {
      luaL_error(m->L, "invalid use of '%%' in replacement string");
    }
  }
}

static void add_replacement(struct matcher *m, luaL_Buffer *out, const char *s, const char *e) {
  lua_State *L = m->L;
  switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(L, 3);
      lua_call(L, push_captures(m, s, e), 1);
      break;
    }
    case LUA_TTABLE:
      push_capture(m, 0, s, e);
      lua_gettable(L, 3);
      break;
    default: add_template(m, out, s, e); return;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, s, (size_t)(e - s));
  } else if (lua_isstring(L, -1)) {
    luaL_addvalue(out);
  } else {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
}

static int string_gsub(lua_State *L) {
  size_t size, pattern_size;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &pattern_size);
  int type = lua_type(L, 3);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                   type == LUA_TTABLE, 3, "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)size + 1), count = 0;
  bool is_anchored = pattern_size > 0 && *pattern == '^';
  struct matcher m;
  start(&m, L, text, size, pattern, pattern_size);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  const char *s = text, *last = NULL;
  while (count < most) {
    const char *e = match_at(&m, s, pattern + is_anchored);
    if (e && e != last) {
      count++;
      add_replacement(&m, &out, s, e);
      s = last = e;
    } else if (s < m.text_end) {
      luaL_addchar(&out, *s++);
    } else {
      break;
    }
    if (is_anchored) break;
  }
  if (s < m.text_end) luaL_addlstring(&out, s, (size_t)(m.text_end - s));
  luaL_pushresult(&out);
  lua_pushinteger(L, count);
  return 2;
}

void machine_open_strings(lua_State *L) {
  lua_getglobal(L, "string");
  const luaL_Reg functions[] = {{"find", string_find}, {"match", string_match},
    {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  lua_pop(L, 1);
  lua_pushliteral(L, "");
  if (lua_getmetatable(L, -1)) {
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}
