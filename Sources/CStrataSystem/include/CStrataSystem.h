#ifndef STRATA_SYSTEM_H
#define STRATA_SYSTEM_H
#include "beneath.h"
#include "content.h"
#include "enter.h"
#include "entries.h"
#include "local_socket.h"
#include "memory_use.h"
#include "mounts.h"
#include "pass_signals.h"
#include "other_processor.h"
#include "short_turns.h"
#include "spawn_directory.h"

#endif
