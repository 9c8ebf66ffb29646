#ifndef STRATA_CLUA_H
#define STRATA_CLUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A Lua state for one plugin: capped, budgeted, without a way out.
///
/// Lua raises by longjmp, which must not cross a Swift frame. So nothing here raises into its
/// caller, callbacks return a status, and values cross the border as packed bytes:
///
///     value = nil | false | true | int i64 | number f64 | string u32 bytes | function i32
///           | table (key value)* end | verdict (key value)* end | other u32 bytes
typedef struct strata_lua strata_lua;

enum strata_tag {
  STRATA_NIL, STRATA_FALSE, STRATA_TRUE, STRATA_INT, STRATA_NUMBER, STRATA_STRING,
  STRATA_FUNCTION, STRATA_TABLE, STRATA_VERDICT, STRATA_END, STRATA_OTHER,
};

enum strata_status {
  STRATA_OK, STRATA_ERROR, STRATA_SYNTAX, STRATA_MEMORY, STRATA_BUDGET, STRATA_INTERRUPTED,
};

/// Packed bytes that grow. Appending returns false when there is no memory for it.
typedef struct {
  uint8_t *data;
  size_t size, room;
} strata_buffer;

bool strata_buffer_append(strata_buffer *, const void *, size_t);

typedef struct {
  void *context;
  /// A registered function is called: packed arguments in, packed results (or, for false, the
  /// message of an error as one packed string) out.
  bool (*call)(void *context, int32_t function, const uint8_t *arguments, size_t size,
               strata_buffer *results);
  /// A field of the event under way is read: one packed value out.
  bool (*field)(void *context, int32_t index, strata_buffer *value);
} strata_callbacks;

/// `memory` in bytes; `budget` in instructions a call, coroutines included. NULL: out of memory.
strata_lua *strata_lua_new(size_t memory, int64_t budget, uint64_t seed, strata_callbacks);
void strata_lua_close(strata_lua *);

/// Makes `path` (`strata.fs.read`) a function that calls back with the number.
int strata_lua_register(strata_lua *, const char *path, int32_t function);
/// Makes `strata.store`-like tables: reading and writing a field calls the two functions.
int strata_lua_register_proxy(strata_lua *, const char *path, int32_t get, int32_t set);
/// Names of event fields, in the order of their numbers.
int strata_lua_set_fields(strata_lua *, const char *const *names, int32_t count);

/// Loads a text chunk and runs it. `name` is what messages call it.
int strata_lua_run(strata_lua *, const char *text, size_t size, const char *name);
/// Calls a function with packed arguments; the results are packed into `output`.
int strata_lua_call(strata_lua *, int32_t function, const uint8_t *arguments, size_t size);
/// Calls a function with the event whose fields `field` provides.
int strata_lua_call_event(strata_lua *, int32_t function);
void strata_lua_release(strata_lua *, int32_t function);

/// After success: the packed results. After failure: message, a NUL, and the traceback.
const strata_buffer *strata_lua_output(const strata_lua *);

/// Inside a callback: the line of the Lua code that called, 0 if there is none.
int strata_lua_line(strata_lua *);
/// Stops what runs, from any thread or a signal handler.
void strata_lua_interrupt(strata_lua *);
/// Bytes that the state holds.
size_t strata_lua_memory(const strata_lua *);

#endif
