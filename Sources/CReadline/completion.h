#ifndef STRATA_COMPLETION_H
#define STRATA_COMPLETION_H
#include "CReadline.h"

/// Makes readline ask the completer, and nobody else.
void strata_completion_start(void *context, strata_completer *completer);
#endif
