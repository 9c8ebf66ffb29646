#include <stdlib.h>
#include <string.h>

#include "machine.h"

// What catches errors: everything that ends the whole call is raised again.

static int finish_call(lua_State *L, int status, lua_KContext from) {
  machine_check(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
  }
  return lua_gettop(L) - (int)from;
}

static int guarded_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  machine_charge(L, 10);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  return finish_call(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call), 0);
}

static int finish_xcall(lua_State *L, int status, lua_KContext from) {
  machine_check(L);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)from;
  lua_pushboolean(L, 0);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) machine_check(L);
  return 2;
}

/// The handler runs after the stack was unwound and under the same limits as everything else; inside
/// Lua's own xpcall a handler that loops could not be stopped.
static int guarded_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  machine_charge(L, 10);
  lua_pushvalue(L, 2);
  lua_insert(L, 1);
  lua_remove(L, 3);
  lua_pushboolean(L, 1);
  lua_insert(L, 2);
  return finish_xcall(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 0, 1, finish_xcall), 1);
}

/// Calls the function in the upvalue; a new thread starts counting anew, so it pays beforehand.
static int guarded_thread(lua_State *L) {
  machine_charge(L, 1000);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  machine_check(L);
  return lua_gettop(L);
}

static int wrapped_thread(lua_State *L) {
  machine_charge(L, 1000);
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  int count = lua_gettop(L), results = 0;
  if (!lua_checkstack(thread, count)) return luaL_error(L, "too many arguments");
  if (lua_status(thread) == LUA_OK && lua_gettop(thread) == 0)
    return luaL_error(L, "cannot resume dead coroutine");
  lua_xmove(L, thread, count);
  int status = lua_resume(thread, L, count, &results);
  machine_check(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(thread, L, 1);
    lua_resetthread(thread);
    machine_check(L);
    return lua_error(L);
  }
  luaL_checkstack(L, results, "too many results");
  lua_xmove(thread, L, results);
  return results;
}

static int guarded_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  machine_charge(L, 1000);
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  lua_pushcclosure(L, wrapped_thread, 1);
  return 1;
}

// What could run where no count reaches.

/// A finaliser runs whenever memory is collected, in nobody's budget.
static int guarded_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "a plugin has no finalisers (__gc)");
    lua_pop(L, 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

enum { LENGTH_LIMIT = 1 << 24 };

/// Library loops over a table in C are as long as `#` says, which a metamethod may make up.
static int guarded_by_length(lua_State *L) {
  if (lua_istable(L, 1)) {
    lua_Integer length = luaL_len(L, 1);
    if (length > LENGTH_LIMIT || length < 0) return luaL_error(L, "the table is too long");
    machine_charge(L, length / 16 + 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int guarded_move(lua_State *L) {
  lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
  if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from > LENGTH_LIMIT)
    return luaL_error(L, "too many elements to move");
  if (to >= from) machine_charge(L, (to - from) / 16 + 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

// What would differ from run to run.

struct key {
  int type;
  lua_Number number;
  const char *text;
  size_t size;
  int index;
};

static int compare_keys(const void *left, const void *right) {
  const struct key *a = left, *b = right;
  if (a->type != b->type) return a->type < b->type ? -1 : 1;
  if (a->type == LUA_TNUMBER)
    return a->number < b->number ? -1 : a->number > b->number ? 1 : a->index - b->index;
  if (a->type == LUA_TSTRING) {
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    if (order) return order;
    if (a->size != b->size) return a->size < b->size ? -1 : 1;
  }
  return a->index - b->index;
}

static int next_sorted(lua_State *L) {
  lua_Integer index = lua_tointeger(L, lua_upvalueindex(2));
  for (;;) {
    if (lua_rawgeti(L, lua_upvalueindex(1), ++index) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    lua_gettable(L, 1);
    if (!lua_isnil(L, -1)) break;
    lua_pop(L, 2);
  }
  lua_pushinteger(L, index);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

/// Lua lays tables out by a hash that is seeded anew in every process; numbers, then strings, each
/// in order, is an order that a replay can count on.
static int sorted_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_newtable(L);
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, ++count);
  }
  machine_charge(L, count);
  struct key *keys = lua_newuserdatauv(L, sizeof *keys * (size_t)(count ? count : 1), 0);
  for (int index = 1; index <= count; index++) {
    struct key *key = &keys[index - 1];
    *key = (struct key){.type = lua_rawgeti(L, 2, index), .index = index};
    if (key->type == LUA_TNUMBER) key->number = lua_tonumber(L, -1);
    if (key->type == LUA_TSTRING) key->text = lua_tolstring(L, -1, &key->size);
    lua_pop(L, 1);
  }
  qsort(keys, (size_t)count, sizeof *keys, compare_keys);
  lua_createtable(L, count, 0);
  for (int index = 1; index <= count; index++) {
    lua_rawgeti(L, 2, keys[index - 1].index);
    lua_rawseti(L, -2, index);
  }
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_sorted, 2);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

/// Without addresses, which are another in every run.
static int plain_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  int type = lua_type(L, 1);
  bool is_object = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD ||
                   type == LUA_TUSERDATA || type == LUA_TLIGHTUSERDATA;
  if (is_object && luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
    lua_pushstring(L, lua_typename(L, type));
    return 1;
  }
  luaL_tolstring(L, 1, NULL);
  return 1;
}

// Set-up

static void remove_names(lua_State *L, const char *const *names) {
  for (; *names; names++) {
    lua_pushnil(L);
    lua_setfield(L, -2, *names);
  }
}

/// Puts `function`, with what stood under the name as its upvalue, in the table on top.
static void wrap(lua_State *L, const char *name, lua_CFunction function) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void machine_open_guarded(lua_State *L, uint64_t seed) {
  static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine}, {NULL, NULL}};
  for (const luaL_Reg *library = libraries; library->func; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  lua_pushglobaltable(L);
  remove_names(L, (const char *[]){"dofile", "loadfile", "load", "require", "collectgarbage",
                                   "warn", NULL});
  lua_pushcfunction(L, guarded_pcall);
  lua_setfield(L, -2, "pcall");
  lua_pushcfunction(L, guarded_xpcall);
  lua_setfield(L, -2, "xpcall");
  lua_pushcfunction(L, sorted_pairs);
  lua_setfield(L, -2, "pairs");
  lua_pushcfunction(L, plain_tostring);
  lua_setfield(L, -2, "tostring");
  wrap(L, "setmetatable", guarded_setmetatable);

  lua_getfield(L, -1, "table");
  for (const char *const *name = (const char *[]){"insert", "remove", "sort", "concat", NULL};
       *name; name++)
    wrap(L, *name, guarded_by_length);
  wrap(L, "move", guarded_move);
  lua_pop(L, 1);

  lua_getfield(L, -1, "coroutine");
  for (const char *const *name = (const char *[]){"create", "resume", "close", NULL}; *name; name++)
    wrap(L, *name, guarded_thread);
  lua_pushcfunction(L, guarded_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pop(L, 1);

  lua_getfield(L, -1, "math");
  lua_getfield(L, -1, "randomseed");
  lua_pushinteger(L, (lua_Integer)seed);
  lua_call(L, 1, 0);
  remove_names(L, (const char *[]){"randomseed", NULL});
  lua_pop(L, 2);
}
