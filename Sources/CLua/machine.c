#include "machine.h"

#include <stdlib.h>
#include <string.h>

strata_lua *machine(lua_State *L) { return *(strata_lua **)lua_getextraspace(L); }

// Limits

/// Counts the bytes against the cap, and new ones against the budget: what allocates in a loop is
/// to end, however few instructions that takes.
static void *allocate(void *context, void *old, size_t old_size, size_t size) {
  strata_lua *state = context;
  if (!old) old_size = 0;
  if (size == 0) {
    free(old);
    state->memory -= old_size;
    return NULL;
  }
  if (size > old_size) {
    if (state->memory - old_size + size > state->memory_limit) return NULL;
    state->budget -= (int64_t)((size - old_size) / 64);
  }
  void *new = realloc(old, size);
  if (new) state->memory += size - old_size;
  return new;
}

static void kill_now(lua_State *L, int status) {
  strata_lua *state = machine(L);
  state->killed = status;
  machine_check(L);
}

void machine_check(lua_State *L) {
  int status = machine(L)->killed;
  if (status == 0) return;
  // In a hook the Lua function itself is level 0, in a C function its caller is level 1.
  luaL_where(L, 0);
  if (lua_rawlen(L, -1) == 0) luaL_where(L, 1);
  lua_pushstring(L, status == STRATA_INTERRUPTED ? "interrupted"
                                                 : "ran out of its budget of instructions");
  lua_concat(L, 2);
  lua_error(L);
}

void machine_charge(lua_State *L, int64_t steps) {
  strata_lua *state = machine(L);
  machine_check(L);
  state->budget -= steps;
  if (atomic_load(&state->interrupted)) kill_now(L, STRATA_INTERRUPTED);
  if (state->budget < 0) kill_now(L, STRATA_BUDGET);
}

enum { HOOK_COUNT = 1000 };

static void hook(lua_State *L, lua_Debug *where) {
  (void)where;
  machine_charge(L, HOOK_COUNT);
}

// Callbacks

/// The rest of a callback, after Swift has returned: results, or an error at the caller's line.
static int finish(lua_State *L, bool is_fine, const strata_buffer *results) {
  const uint8_t *at = results->data, *end = results->data + results->size;
  if (!is_fine) {
    luaL_where(L, 1);
    if (!machine_unpack(L, at, end)) lua_pushliteral(L, "failed");
    lua_concat(L, 2);
    return lua_error(L);
  }
  int count = 0;
  while (at && at < end) {
    at = machine_unpack(L, at, end);
    if (at) count++;
  }
  return count;
}

static int call_back(lua_State *L) {
  strata_lua *state = machine(L);
  machine_charge(L, 10);
  int32_t function = (int32_t)lua_tointeger(L, lua_upvalueindex(1));
  if (state->depth >= STRATA_DEPTH) return luaL_error(L, "too many calls inside one another");
  strata_buffer *arguments = &state->arguments[state->depth];
  strata_buffer *results = &state->results[state->depth];
  arguments->size = results->size = 0;
  int count = lua_gettop(L);
  for (int index = 1; index <= count; index++) machine_pack(L, index, arguments, 0);
  lua_State *former = state->current;
  state->current = L;
  state->depth++;
  bool is_fine = state->callbacks.call(state->callbacks.context, function, arguments->data,
                                       arguments->size, results);
  state->depth--;
  state->current = former;
  lua_settop(L, 0);
  machine_check(L);
  return finish(L, is_fine, results);
}

/// Pushes the value of a field of the event, and keeps it in the event's table at 1.
static void push_field(lua_State *L, int32_t index) {
  strata_lua *state = machine(L);
  if (state->depth >= STRATA_DEPTH) luaL_error(L, "too many calls inside one another");
  strata_buffer *value = &state->results[state->depth];
  value->size = 0;
  if (!state->callbacks.field(state->callbacks.context, index, value) ||
      !machine_unpack(L, value->data, value->data + value->size))
    lua_pushnil(L);
}

static int event_index(lua_State *L) {
  lua_settop(L, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, machine(L)->fields);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, 3) != LUA_TNUMBER) return 0;
  push_field(L, (int32_t)lua_tointeger(L, -1));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

/// Fills in what is missing, then walks the table like any other.
static int event_pairs(lua_State *L) {
  lua_settop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, machine(L)->fields);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, 1) == LUA_TNIL) {
      push_field(L, (int32_t)lua_tointeger(L, -2));
      lua_pushvalue(L, -4);
      lua_insert(L, -2);
      lua_rawset(L, 1);
    }
    lua_pop(L, 2);
  }
  lua_pushnil(L);
  lua_setmetatable(L, 1);
  lua_getglobal(L, "pairs");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 3);
  return 3;
}

// Protected entry

/// Adds where it happened to an error that is no string, and the traceback to all.
static int message_handler(lua_State *L) {
  lua_Debug frame;
  if (!lua_isstring(L, 1)) {
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
      lua_getinfo(L, "Sl", &frame);
      if (frame.currentline <= 0) continue;
      lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
      lua_insert(L, -2);
      lua_concat(L, 2);
      break;
    }
  } else {
    lua_pushvalue(L, 1);
  }
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  strata_buffer *out = &machine(L)->output;
  out->size = 0;
  if (!strata_buffer_append(out, text, size) || !strata_buffer_append(out, "", 1)) return 1;
  luaL_traceback(L, L, NULL, 1);
  text = lua_tolstring(L, -1, &size);
  strata_buffer_append(out, text, size);
  lua_pushboolean(L, 1);
  return 1;
}

/// Runs a C function of one light argument with a fresh budget; nothing raises out of here.
static int protect(strata_lua *state, lua_CFunction body, void *argument) {
  lua_State *L = state->L;
  bool is_outermost = state->depth == 0;
  if (is_outermost) {
    // What came while nothing ran was meant for something else.
    atomic_store(&state->interrupted, 0);
    state->current = NULL;
    state->budget = state->budget_limit;
    state->killed = 0;
  }
  int depth = state->depth, top = lua_gettop(L);
  lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_COUNT);
  lua_pushcfunction(L, message_handler);
  lua_pushcfunction(L, body);
  lua_pushlightuserdata(L, argument);
  state->output.size = 0;
  state->is_syntax = false;
  int result = lua_pcall(L, 1, 0, top + 1);
  bool is_told = result != LUA_OK && lua_isboolean(L, -1);
  if (result != LUA_OK && !is_told) {
    const char *text = lua_tostring(L, -1);
    if (!text || result == LUA_ERRMEM) text = "not enough memory";
    state->output.size = 0;
    strata_buffer_append(&state->output, text, strlen(text) + 1);
  }
  lua_settop(L, top);
  state->depth = depth;
  if (result == LUA_OK) return STRATA_OK;
  if (state->killed) return state->killed;
  if (result == LUA_ERRMEM) return STRATA_MEMORY;
  return state->is_syntax ? STRATA_SYNTAX : STRATA_ERROR;
}

struct chunk {
  const char *text, *name;
  size_t size;
};

static int run_chunk(lua_State *L) {
  struct chunk *chunk = lua_touserdata(L, 1);
  lua_pushfstring(L, "=%s", chunk->name);
  if (luaL_loadbufferx(L, chunk->text, chunk->size, lua_tostring(L, -1), "t") != LUA_OK) {
    machine(L)->is_syntax = true;
    return lua_error(L);
  }
  lua_call(L, 0, 0);
  return 0;
}

int strata_lua_run(strata_lua *state, const char *text, size_t size, const char *name) {
  struct chunk chunk = {.text = text, .name = name, .size = size};
  return protect(state, run_chunk, &chunk);
}

struct invocation {
  int32_t function;
  const uint8_t *arguments;
  size_t size;
};

static void pack_results(lua_State *L, int from) {
  strata_lua *state = machine(L);
  state->output.size = 0;
  for (int index = from; index <= lua_gettop(L); index++)
    machine_pack(L, index, &state->output, 0);
}

static int invoke(lua_State *L) {
  struct invocation *call = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_rawgeti(L, LUA_REGISTRYINDEX, call->function);
  const uint8_t *at = call->arguments, *end = at + call->size;
  while (at && at < end) at = machine_unpack(L, at, end);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  pack_results(L, 1);
  return 0;
}

int strata_lua_call(strata_lua *state, int32_t function, const uint8_t *arguments, size_t size) {
  struct invocation call = {.function = function, .arguments = arguments, .size = size};
  return protect(state, invoke, &call);
}

static int invoke_event(lua_State *L) {
  int32_t function = *(int32_t *)lua_touserdata(L, 1);
  lua_newtable(L);
  luaL_setmetatable(L, "strata.event");
  lua_rawgeti(L, LUA_REGISTRYINDEX, function);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  // What the handler did not read, it cannot read later: the event is over.
  lua_pushnil(L);
  lua_setmetatable(L, 2);
  pack_results(L, 3);
  return 0;
}

int strata_lua_call_event(strata_lua *state, int32_t function) {
  return protect(state, invoke_event, &function);
}

void strata_lua_release(strata_lua *state, int32_t function) {
  luaL_unref(state->L, LUA_REGISTRYINDEX, function);
}

const strata_buffer *strata_lua_output(const strata_lua *state) { return &state->output; }
size_t strata_lua_memory(const strata_lua *state) { return state->memory; }
void strata_lua_interrupt(strata_lua *state) { atomic_store(&state->interrupted, 1); }

int strata_lua_line(strata_lua *state) {
  lua_Debug frame;
  if (!state->current) return 0;
  for (int level = 0; lua_getstack(state->current, level, &frame); level++) {
    lua_getinfo(state->current, "l", &frame);
    if (frame.currentline > 0) return frame.currentline;
  }
  return 0;
}

// Set-up

/// Pushes the table that the last name of a dotted path belongs in, making it where it is missing,
/// and returns that name.
static const char *open_path(lua_State *L, const char *path) {
  lua_pushglobaltable(L);
  for (;;) {
    const char *dot = strchr(path, '.');
    if (!dot) return path;
    lua_pushlstring(L, path, (size_t)(dot - path));
    if (lua_rawget(L, -2) != LUA_TTABLE) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushlstring(L, path, (size_t)(dot - path));
      lua_pushvalue(L, -2);
      lua_rawset(L, -4);
    }
    lua_remove(L, -2);
    path = dot + 1;
  }
}

struct registration {
  const char *path;
  int32_t get, set;
};

static int do_register(lua_State *L) {
  struct registration *it = lua_touserdata(L, 1);
  const char *name = open_path(L, it->path);
  if (it->set == 0) {
    lua_pushinteger(L, it->get);
    lua_pushcclosure(L, call_back, 1);
  } else {
    lua_newtable(L);
    lua_newtable(L);
    lua_pushinteger(L, it->get);
    lua_pushcclosure(L, call_back, 1);
    lua_setfield(L, -2, "__index");
    lua_pushinteger(L, it->set);
    lua_pushcclosure(L, call_back, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
  }
  lua_setfield(L, -2, name);
  return 0;
}

int strata_lua_register(strata_lua *state, const char *path, int32_t function) {
  struct registration it = {.path = path, .get = function};
  return protect(state, do_register, &it);
}

int strata_lua_register_proxy(strata_lua *state, const char *path, int32_t get, int32_t set) {
  struct registration it = {.path = path, .get = get, .set = set};
  return protect(state, do_register, &it);
}

struct field_names {
  const char *const *names;
  int32_t count;
};

static int do_set_fields(lua_State *L) {
  struct field_names *it = lua_touserdata(L, 1);
  lua_newtable(L);
  for (int32_t index = 0; index < it->count; index++) {
    lua_pushinteger(L, index);
    lua_setfield(L, -2, it->names[index]);
  }
  machine(L)->fields = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int strata_lua_set_fields(strata_lua *state, const char *const *names, int32_t count) {
  struct field_names it = {.names = names, .count = count};
  return protect(state, do_set_fields, &it);
}

static int do_open(lua_State *L) {
  uint64_t seed = *(uint64_t *)lua_touserdata(L, 1);
  lua_settop(L, 0);
  machine_open_guarded(L, seed);
  machine_open_strings(L);
  luaL_newmetatable(L, STRATA_VERDICT_TYPE);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  luaL_newmetatable(L, "strata.event");
  lua_pushcfunction(L, event_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, event_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  return 0;
}

strata_lua *strata_lua_new(size_t memory, int64_t budget, uint64_t seed,
                           strata_callbacks callbacks) {
  strata_lua *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->memory_limit = memory;
  state->budget = state->budget_limit = budget;
  state->callbacks = callbacks;
  state->L = lua_newstate(allocate, state);
  if (!state->L) {
    free(state);
    return NULL;
  }
  *(strata_lua **)lua_getextraspace(state->L) = state;
  if (protect(state, do_open, &seed) != STRATA_OK) {
    strata_lua_close(state);
    return NULL;
  }
  return state;
}

void strata_lua_close(strata_lua *state) {
  state->budget = INT64_MAX;
  lua_sethook(state->L, NULL, 0, 0);
  lua_close(state->L);
  free(state->output.data);
  for (int depth = 0; depth < STRATA_DEPTH; depth++) {
    free(state->arguments[depth].data);
    free(state->results[depth].data);
  }
  free(state);
}
