#ifndef STRATA_SYSTEM_H
#define STRATA_SYSTEM_H
#include "beneath.h"
#include "entries.h"
#include "memory_use.h"

#endif
