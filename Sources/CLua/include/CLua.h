#ifndef STRATA_CLUA_H
#define STRATA_CLUA_H
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#endif
