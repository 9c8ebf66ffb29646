#define _GNU_SOURCE
#include "pass_signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include "passed_signals.h"

enum { most = 256 };
static volatile pid_t programs[most];
static int count;
static struct sigaction former[_NSIG];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void pass_on(int number, siginfo_t *info, void *context) {
  (void)context;
  if (!strata_is_passed(number, info)) return;
  int error = errno;
  for (int i = 0; i < most; i++) {
    // It may end meanwhile.
    pid_t program = programs[i];
    if (program > 0) kill(program, number);
  }
  errno = error;
}

static void replace(pid_t from, pid_t to) {
  for (int i = 0; i < most; i++) {
    if (programs[i] != from) continue;
    programs[i] = to;
    return;
  }
}

static void pass(int number) {
  struct sigaction action = {.sa_flags = SA_RESTART | SA_SIGINFO, .sa_sigaction = pass_on};
  sigemptyset(&action.sa_mask);
  sigaction(number, NULL, &former[number]);
  // Who has started us wants it to be ignored, and the program to ignore it as well.
  if (former[number].sa_handler == SIG_IGN) return;
  sigaction(number, &action, NULL);
}

static void restore(int number) { sigaction(number, &former[number], NULL); }

void strata_pass_signals(pid_t program) {
  pthread_mutex_lock(&lock);
  replace(0, program);
  if (count++ == 0) strata_for_passed_signals(pass);
  pthread_mutex_unlock(&lock);
}

void strata_keep_signals(pid_t program) {
  pthread_mutex_lock(&lock);
  replace(program, 0);
  if (--count == 0) strata_for_passed_signals(restore);
  pthread_mutex_unlock(&lock);
}
