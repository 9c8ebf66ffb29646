#define _GNU_SOURCE
#include "pass_signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

enum { most = 256, kinds = 4 };
static const int numbers[kinds] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
static volatile pid_t programs[most];
static int count;
static struct sigaction former[kinds];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void pass_on(int number) {
  for (int i = 0; i < most; i++) {
    if (programs[i] > 0) kill(programs[i], number);
  }
}

static void replace(pid_t from, pid_t to) {
  for (int i = 0; i < most; i++) {
    if (programs[i] != from) continue;
    programs[i] = to;
    return;
  }
}

void strata_pass_signals(pid_t program) {
  pthread_mutex_lock(&lock);
  replace(0, program);
  if (count++ == 0) {
    struct sigaction action = {.sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < kinds; i++) {
      action.sa_handler = i < 2 ? SIG_IGN : pass_on;
      sigaction(numbers[i], &action, &former[i]);
      // Who has started us wants us to outlive the terminal.
      if (i >= 2 && former[i].sa_handler == SIG_IGN) sigaction(numbers[i], &former[i], NULL);
    }
  }
  pthread_mutex_unlock(&lock);
}

void strata_keep_signals(pid_t program) {
  pthread_mutex_lock(&lock);
  replace(program, 0);
  if (--count == 0) {
    for (int i = 0; i < kinds; i++) sigaction(numbers[i], &former[i], NULL);
  }
  pthread_mutex_unlock(&lock);
}
