#define _GNU_SOURCE
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "passed_signals.h"

static int result(int value) { return value < 0 ? -errno : value; }

static struct __user_cap_header_struct own = {.version = _LINUX_CAPABILITY_VERSION_3};

bool strata_may_mount(void) {
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &own, data) != 0) return false;
  return data[0].effective & (1u << CAP_SYS_ADMIN);
}

static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  int error = write(file, text, strlen(text)) < 0 ? -errno : 0;
  close(file);
  return error;
}

int strata_new_user(void) {
  char map[64];
  unsigned uid = geteuid(), gid = getegid();
  if (unshare(CLONE_NEWUSER) != 0) return -errno;
  // Without that nobody may map groups; a kernel from before has no such file.
  int error = write_file("/proc/self/setgroups", "deny");
  if (error != 0 && error != -ENOENT) return error;
  snprintf(map, sizeof map, "%u %u 1", uid, uid);
  error = write_file("/proc/self/uid_map", map);
  if (error != 0) return error;
  snprintf(map, sizeof map, "%u %u 1", gid, gid);
  return write_file("/proc/self/gid_map", map);
}

int strata_new_mounts(void) {
  if (unshare(CLONE_NEWNS) != 0) return -errno;
  return result(mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL));
}

int strata_no_network(void) {
  if (unshare(CLONE_NEWNET) != 0) return -errno;
  int link = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (link < 0) return -errno;
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int error = result(ioctl(link, SIOCSIFFLAGS, &request));
  close(link);
  return error;
}

/// 0 from when it has ended.
static volatile sig_atomic_t supervised;

/// Acts on what the program has left behind. Nobody but us reaps it, and not while we are in here, so
/// that the numbers are those of our children.
static void with_children(void (*act)(pid_t child, int number), int number) {
  char text[4096];
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t count = read(file, text, sizeof text);
  close(file);
  pid_t child = 0;
  for (ssize_t i = 0; i < count; i++) {
    if (text[i] >= '0' && text[i] <= '9') {
      child = child * 10 + (text[i] - '0');
    } else {
      if (child > 0) act(child, number);
      child = 0;
    }
  }
}

static void send_signal(pid_t child, int number) { kill(child, number); }

static void tell_of(pid_t child, int number) {
  (void)number;
  char path[64], name[64];
  snprintf(path, sizeof path, "/proc/%d/comm", (int)child);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = file < 0 ? 0 : read(file, name, sizeof name);
  if (file >= 0) close(file);
  // The kernel ends it with a newline.
  if (count > 0) dprintf(2, "run: still waiting for process %d, %.*s", (int)child, (int)count, name);
}

/// Nothing but the wait for them is interrupted by that.
static void tell_of_children(int number) {
  int error = errno;
  with_children(tell_of, number);
  dprintf(2, "run: Ctrl-C ends what is left\n");
  errno = error;
}

/// How often somebody at the terminal has wanted what the program has left behind to end.
static volatile sig_atomic_t impatience;

static int ending_signal(void) { return impatience > 1 ? SIGKILL : SIGTERM; }

/// Asks it to, and the second time does not ask.
static void end_children(void) {
  impatience++;
  with_children(send_signal, ending_signal());
}

/// Who hands signals on to us, and when somebody else has last sent one of each: to all of us.
static pid_t parent;
static int64_t sent[_NSIG];
/// Whether our parent signals all in our group.
static bool is_group;
/// Whether there is one between us and the program, which is not in the group.
static bool is_between;

/// Whether the same has just come as well: who signals a process group reaches all in it, and us twice.
static bool is_again(int number, bool is_first) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  int64_t now = time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
  bool is_again = sent[number] != 0 && now - sent[number] < 100;
  if (is_first) sent[number] = now;
  return is_again;
}

/// Whether the program has itself what has come to us, or gets it by our parent.
static bool has_it(int number, const siginfo_t *info) {
  bool is_sent = info->si_code <= 0, is_parents = is_sent && info->si_pid == parent;
  bool is_doubled = is_again(number, !is_parents);
  if (is_parents) return is_group || is_doubled;
  if (is_sent) return getppid() == parent;
  // The kernel hangs up on a group; an alarm is one process's.
  return number == SIGHUP && (is_between || getpgid(supervised) == getpgrp());
}

static void hand_on(int number, const siginfo_t *info) {
  if (supervised > 0) {
    if (strata_is_passed(number, info) && !has_it(number, info)) kill(supervised, number);
  } else if (number == SIGINT || number == SIGTERM || number == SIGHUP) {
    if (is_again(number, true)) return;
    if (number == SIGINT) {
      end_children();
    } else {
      with_children(send_signal, number);
    }
  }
}

static void pass_on(int number, siginfo_t *info, void *context) {
  (void)context;
  int error = errno;
  hand_on(number, info);
  errno = error;
}

static void pass(int number) {
  struct sigaction action = {.sa_flags = SA_RESTART | SA_SIGINFO, .sa_sigaction = pass_on};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static sigset_t passed;
static void add_passed(int number) { sigaddset(&passed, number); }

/// What is open here is reached by /proc by whoever has no more rights than we.
static void be_open(int directory) {
  if (directory < 0 || fchdir(directory) != 0) return;
  if (geteuid() == 0) return;
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  syscall(SYS_capset, &own, none);
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/// What was held back before.
static sigset_t held;

/// Signals are held back until there is who hands them on: nobody does before.
static void hold_signals(void) {
  sigemptyset(&passed);
  strata_for_passed_signals(add_passed);
  sigprocmask(SIG_BLOCK, &passed, &held);
}

static void let_signals_come(void) { sigprocmask(SIG_SETMASK, &held, NULL); }

/// Begins a program that signals go on to.
/// - Returns: 0 in the program, for which they are still held back, in who waits for it its number, or
///   what went wrong.
static pid_t begin(bool is_first) {
  parent = getppid();
  is_group = !is_first && getpgrp() == getpid();
  pid_t program = fork();
  if (program == 0) return 0;
  supervised = program > 0 ? program : 0;
  int error = result(program);
  // Who signals the group reaches the program, and who handed that on would do so once more.
  if (is_first) setpgid(0, 0);
  if (program > 0) strata_for_passed_signals(pass);
  let_signals_come();
  return error;
}

/// Waits for all that ends here, and for more as long as there is any.
static _Noreturn void wait_for(pid_t program, bool is_first) {
  int code = 1;
  for (;;) {
    siginfo_t ended = {0};
    // It stays a zombie, and its number its own, until nobody sends it a signal any more.
    int error = waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
    if (error < 0 && errno == EINTR) continue;
    if (error < 0) break;
    if (ended.si_pid == program) {
      supervised = 0;
      code = ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
      // The kernel ends the others with us.
      if (is_first) break;
      if (isatty(2)) {
        // A person wonders after a second.
        signal(SIGALRM, tell_of_children);
        alarm(1);
      }
    }
    waitpid(ended.si_pid, NULL, 0);
    // What that one had started is ours now.
    if (impatience > 0) with_children(send_signal, ending_signal());
  }
  _exit(code);
}

int strata_supervise(bool contained, int directory) {
  // What the program leaves behind becomes ours, so that we see it end.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (contained && unshare(CLONE_NEWPID) != 0) return -errno;
  hold_signals();
  is_between = contained;
  pid_t program = begin(false);
  if (program > 0) {
    be_open(directory);
    wait_for(program, false);
  }
  if (program == 0 && contained) {
    // The kernel keeps from a namespace's first process all signals that it has no handler for.
    is_between = false;
    program = begin(true);
    if (program > 0) {
      close_range(3, ~0u, 0);
      wait_for(program, true);
    }
  }
  if (program == 0) let_signals_come();
  return program;
}

int strata_change_root(int directory) {
  if (fchdir(directory) != 0) return -errno;
  return result(chroot("."));
}

int strata_mount_proc(void) {
  return result(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

int strata_drop_capabilities(void) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return -errno;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  if (syscall(SYS_capset, &own, data) != 0) return -errno;
  return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}
