#ifndef STRATA_PASSED_SIGNALS_H
#define STRATA_PASSED_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/// Calls the body with each signal that is for a program rather than for who waits for it: what ends a
/// process unless it makes something of it, and what stands for no fault of its own.
static inline void strata_for_passed_signals(void (*body)(int number)) {
  static const int numbers[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE,
                                SIGALRM, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGXCPU, SIGSTKFLT};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) body(numbers[i]);
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++) body(number);
}

/// Whether it is for the program: Ctrl-C and Ctrl-\\ come to it from the terminal itself, and a pipe that
/// breaks here is not the program's.
static inline bool strata_is_passed(int number, const siginfo_t *info) {
  if (info->si_code <= 0) return info->si_pid != getpid();
  return number != SIGINT && number != SIGQUIT && number != SIGPIPE;
}

#endif
