#ifndef STRATA_MACHINE_H
#define STRATA_MACHINE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdatomic.h>

#include "CLua.h"

/// Callbacks inside callbacks, each with a buffer of its own.
enum { STRATA_DEPTH = 16 };

struct strata_lua {
  lua_State *L;
  /// The thread that a callback is under way from.
  lua_State *current;
  size_t memory, memory_limit;
  int64_t budget, budget_limit;
  /// Why everything in the state is to end now: a status, or 0.
  int killed;
  atomic_int interrupted;
  strata_callbacks callbacks;
  strata_buffer output;
  strata_buffer arguments[STRATA_DEPTH], results[STRATA_DEPTH];
  int depth;
  bool is_syntax;
  int fields;  // registry reference: name to number
  int field_count;
};

strata_lua *machine(lua_State *L);

/// Takes from the budget, and raises when there is none left or the state was interrupted.
void machine_charge(lua_State *L, int64_t steps);
/// Raises again what must not be caught.
void machine_check(lua_State *L);

/// Packs the value at an index; raises for what is too deep.
void machine_pack(lua_State *L, int index, strata_buffer *out, int depth);
/// Pushes the packed value and returns where the next one begins; NULL at the end or for nonsense.
const uint8_t *machine_unpack(lua_State *L, const uint8_t *at, const uint8_t *end);

/// The metatable of verdicts, under this name in the registry.
#define STRATA_VERDICT_TYPE "strata.verdict"

void machine_open_guarded(lua_State *L, uint64_t seed);
void machine_open_strings(lua_State *L);

#endif
