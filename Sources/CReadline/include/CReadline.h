#ifndef STRATA_CREADLINE_H
#define STRATA_CREADLINE_H
#include <stdio.h>
#include <readline/readline.h>
#include <readline/history.h>
#endif
