#include <stdlib.h>
#include <string.h>

#include "machine.h"

bool strata_buffer_append(strata_buffer *buffer, const void *bytes, size_t size) {
  if (buffer->size + size > buffer->room) {
    size_t room = buffer->room ? buffer->room : 256;
    while (room < buffer->size + size) room *= 2;
    uint8_t *data = realloc(buffer->data, room);
    if (!data) return false;
    buffer->data = data;
    buffer->room = room;
  }
  if (size) memcpy(buffer->data + buffer->size, bytes, size);
  buffer->size += size;
  return true;
}

static void put(lua_State *L, strata_buffer *out, const void *bytes, size_t size) {
  if (out->size + size > machine(L)->memory_limit || !strata_buffer_append(out, bytes, size))
    luaL_error(L, "not enough memory");
}

static void put_tag(lua_State *L, strata_buffer *out, uint8_t tag) { put(L, out, &tag, 1); }

static void put_bytes(lua_State *L, strata_buffer *out, uint8_t tag, const char *bytes, size_t n) {
  uint32_t size = (uint32_t)n;
  put_tag(L, out, tag);
  put(L, out, &size, sizeof size);
  put(L, out, bytes, n);
}

static void pack_table(lua_State *L, int index, strata_buffer *out, int depth) {
  index = lua_absindex(L, index);
  if (depth > 32) luaL_error(L, "a table is nested too deeply, or holds itself");
  luaL_checkstack(L, 8, "packing a table");
  bool is_verdict = false;
  if (lua_getmetatable(L, index)) {
    luaL_getmetatable(L, STRATA_VERDICT_TYPE);
    is_verdict = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  put_tag(L, out, is_verdict ? STRATA_VERDICT : STRATA_TABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    machine_charge(L, 1);
    machine_pack(L, -2, out, depth + 1);
    machine_pack(L, -1, out, depth + 1);
    lua_pop(L, 1);
  }
  put_tag(L, out, STRATA_END);
}

void machine_pack(lua_State *L, int index, strata_buffer *out, int depth) {
  switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL: put_tag(L, out, STRATA_NIL); return;
    case LUA_TBOOLEAN:
      put_tag(L, out, lua_toboolean(L, index) ? STRATA_TRUE : STRATA_FALSE);
      return;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        int64_t value = lua_tointeger(L, index);
        put_tag(L, out, STRATA_INT);
        put(L, out, &value, sizeof value);
      } else {
        double value = lua_tonumber(L, index);
        put_tag(L, out, STRATA_NUMBER);
        put(L, out, &value, sizeof value);
      }
      return;
    case LUA_TSTRING: {
      size_t size;
      const char *bytes = lua_tolstring(L, index, &size);
      put_bytes(L, out, STRATA_STRING, bytes, size);
      return;
    }
    case LUA_TTABLE: pack_table(L, index, out, depth); return;
    case LUA_TFUNCTION: {
      lua_pushvalue(L, index);
      int32_t reference = luaL_ref(L, LUA_REGISTRYINDEX);
      put_tag(L, out, STRATA_FUNCTION);
      put(L, out, &reference, sizeof reference);
      return;
    }
    default: {
      const char *name = luaL_typename(L, index);
      size_t size = 0;
      while (name[size]) size++;
      put_bytes(L, out, STRATA_OTHER, name, size);
    }
  }
}

static const uint8_t *unpack_bytes(lua_State *L, const uint8_t *at, const uint8_t *end) {
  uint32_t size;
  if ((size_t)(end - at) < sizeof size) return NULL;
  memcpy(&size, at, sizeof size);
  at += sizeof size;
  if ((size_t)(end - at) < size) return NULL;
  lua_pushlstring(L, (const char *)at, size);
  return at + size;
}

static const uint8_t *unpack_table(lua_State *L, const uint8_t *at, const uint8_t *end,
                                   bool is_verdict) {
  luaL_checkstack(L, 8, "unpacking a table");
  lua_newtable(L);
  while (at && at < end && *at != STRATA_END) {
    at = machine_unpack(L, at, end);
    if (!at) return NULL;
    at = machine_unpack(L, at, end);
    if (!at) return NULL;
    if (lua_isnil(L, -2)) lua_pop(L, 2);
    else lua_rawset(L, -3);
  }
  if (!at || at >= end) return NULL;
  if (is_verdict) luaL_setmetatable(L, STRATA_VERDICT_TYPE);
  return at + 1;
}

const uint8_t *machine_unpack(lua_State *L, const uint8_t *at, const uint8_t *end) {
  if (at >= end) return NULL;
  luaL_checkstack(L, 4, "unpacking");
  uint8_t tag = *at++;
  switch (tag) {
    case STRATA_NIL: lua_pushnil(L); return at;
    case STRATA_FALSE:
    case STRATA_TRUE: lua_pushboolean(L, tag == STRATA_TRUE); return at;
    case STRATA_INT:
    case STRATA_NUMBER: {
      if (end - at < 8) return NULL;
      if (tag == STRATA_INT) {
        int64_t value;
        memcpy(&value, at, 8);
        lua_pushinteger(L, value);
      } else {
        double value;
        memcpy(&value, at, 8);
        lua_pushnumber(L, value);
      }
      return at + 8;
    }
    case STRATA_STRING: return unpack_bytes(L, at, end);
    case STRATA_TABLE:
    case STRATA_VERDICT: return unpack_table(L, at, end, tag == STRATA_VERDICT);
    case STRATA_FUNCTION: {
      int32_t reference;
      if (end - at < 4) return NULL;
      memcpy(&reference, at, 4);
      lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
      return at + 4;
    }
    default: return NULL;
  }
}
