#define _GNU_SOURCE
#include "CReadline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <readline/readline.h>

#include "completion.h"

/// Signal numbers, one byte each, from the handler to whom they are for: the reader while a line is
/// being read, the watching thread at other times.
static int to_reader[2] = {-1, -1}, to_watcher[2] = {-1, -1};
static atomic_bool reading;

static void (*interrupt_callback)(void *context);
static void *interrupt_context;
static int last_signal;

static char *entered;
static bool done;

static void on_signal(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  int end = atomic_load(&reading) ? to_reader[1] : to_watcher[1];
  ssize_t ignored = write(end, &byte, 1);
  (void)ignored;
  errno = saved;
}

/// Held while a signal that came between two lines is being acted upon.
static pthread_mutex_t acting = PTHREAD_MUTEX_INITIALIZER;

/// Acts upon the signals that came while no line was being read.
static void act(bool interrupts) {
  unsigned char number;
  pthread_mutex_lock(&acting);
  while (read(to_watcher[0], &number, 1) == 1) {
    if (number == SIGINT && interrupts) interrupt_callback(interrupt_context);
    if (number == SIGTERM || number == SIGHUP) {
      // A command is running: end as if there were no handler.
      signal(number, SIG_DFL);
      kill(getpid(), number);
    }
  }
  pthread_mutex_unlock(&acting);
}

static void *watch(void *unused) {
  (void)unused;
  struct pollfd end = {.fd = to_watcher[0], .events = POLLIN};
  for (;;) {
    if (poll(&end, 1, -1) > 0) act(true);
  }
  return NULL;
}

void strata_terminal_settle(void) { act(false); }

static void do_nothing(int number) { (void)number; }

static int take_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
  sigset_t taken;
  sigemptyset(&taken);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (sigaction(numbers[i], &action, NULL) != 0) return errno;
    sigaddset(&taken, numbers[i]);
  }
  // Ctrl-\ is for the programs that we start, which ignore only what we were started with.
  struct sigaction nothing = {.sa_handler = do_nothing, .sa_flags = SA_RESTART}, former;
  sigemptyset(&nothing.sa_mask);
  if (sigaction(SIGQUIT, NULL, &former) != 0) return errno;
  if (former.sa_handler != SIG_IGN && sigaction(SIGQUIT, &nothing, NULL) != 0) return errno;
  // Whoever started us may have blocked them.
  return pthread_sigmask(SIG_UNBLOCK, &taken, NULL);
}

int strata_terminal_start(void *context, strata_completer *completer,
                          void (*interrupt)(void *context)) {
  interrupt_callback = interrupt;
  interrupt_context = context;
  if (pipe2(to_reader, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  if (pipe2(to_watcher, O_CLOEXEC | O_NONBLOCK) != 0) return errno;

  rl_readline_name = "strata";
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;
  strata_completion_start(context, completer);

  pthread_t thread;
  // The thread inherits the mask: signals are for the others.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, NULL, watch, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) return error;
  pthread_detach(thread);
  return take_signals();
}

static void line_entered(char *line) {
  entered = line;
  done = true;
  // Here, so that the prompt is not shown again.
  rl_callback_handler_remove();
}

/// Leaves the line as it is on the screen and gives the terminal back its mode.
static void drop_line(void) {
  rl_free_line_state();
  rl_callback_sigcleanup();
  rl_callback_handler_remove();
}

/// Handles the signals that wait. Returns whether reading goes on.
static bool handle_signals(strata_outcome *outcome) {
  unsigned char number;
  while (read(to_reader[0], &number, 1) == 1) {
    switch (number) {
      case SIGWINCH:
        rl_resize_terminal();
        break;
      case SIGCONT:
        // The shell that stopped us has set its own mode.
        rl_deprep_terminal();
        rl_prep_terminal(1);
        rl_forced_update_display();
        break;
      case SIGINT:
        fputs("^C", rl_outstream);
        drop_line();
        fputc('\n', rl_outstream);
        fflush(rl_outstream);
        *outcome = STRATA_INTERRUPTED;
        return false;
      default:
        drop_line();
        fputc('\n', rl_outstream);
        fflush(rl_outstream);
        last_signal = number;
        *outcome = STRATA_TERMINATED;
        return false;
    }
  }
  return true;
}

/// Handles what came between the end of the line and the end of reading it. Returns whether the
/// line stands.
static bool handle_late_signals(strata_outcome *outcome) {
  unsigned char number;
  bool stands = true;
  while (read(to_reader[0], &number, 1) == 1) {
    if (number == SIGINT) {
      *outcome = STRATA_INTERRUPTED;
      stands = false;
    } else if (number == SIGTERM || number == SIGHUP) {
      last_signal = number;
      *outcome = STRATA_TERMINATED;
      return false;
    }
  }
  return stands;
}

strata_outcome strata_terminal_read(const char *prompt, char **line) {
  strata_outcome outcome = STRATA_END;
  entered = NULL;
  done = false;
  *line = NULL;
  atomic_store(&reading, true);
  rl_callback_handler_install(prompt, line_entered);
  struct pollfd ends[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = to_reader[0], .events = POLLIN}};
  while (!done) {
    if (poll(ends, 2, -1) < 0) {
      if (errno == EINTR) continue;
      drop_line();
      break;
    }
    if (ends[1].revents != 0 && !handle_signals(&outcome)) break;
    if (ends[0].revents != 0) rl_callback_read_char();
  }
  atomic_store(&reading, false);
  if (done && !handle_late_signals(&outcome)) {
    free(entered);
    return outcome;
  }
  if (done && entered != NULL) {
    *line = entered;
    return STRATA_LINE;
  }
  return outcome;
}

int strata_terminal_signal(void) { return last_signal; }
