#ifndef STRATA_PASS_SIGNALS_H
#define STRATA_PASS_SIGNALS_H

#include <sys/types.h>

/// Until as many calls of strata_keep_signals: Ctrl-C and Ctrl-\\ end this process no more, for the
/// terminal sends them to the program as well; what somebody else sends that would end this process
/// goes on to the program.
void strata_pass_signals(pid_t program);

/// The program has ended. When it was the last, signals are what they were.
void strata_keep_signals(pid_t program);

#endif
