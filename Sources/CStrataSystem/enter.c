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
static void end_children(int number) {
  (void)number;
  int error = errno;
  impatience++;
  with_children(send_signal, ending_signal());
  errno = error;
}

static void pass_on(int number, siginfo_t *info, void *context) {
  (void)context;
  if (!strata_is_sent(info)) return;
  int error = errno;
  if (supervised > 0) {
    kill(supervised, number);
  } else if (number == SIGTERM || number == SIGHUP) {
    with_children(send_signal, number);
  }
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

int strata_supervise(bool contained, int directory) {
  // What the program leaves behind becomes ours, so that we see it end.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (contained && unshare(CLONE_NEWPID) != 0) return -errno;
  // What comes before there is who passes it on waits until there is.
  sigset_t before;
  sigemptyset(&passed);
  strata_for_passed_signals(add_passed);
  sigprocmask(SIG_BLOCK, &passed, &before);
  pid_t program = fork();
  if (program <= 0) {
    int error = result(program);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
  }
  supervised = program;
  be_open(directory);
  strata_for_passed_signals(pass);
  sigprocmask(SIG_SETMASK, &before, NULL);
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
      signal(SIGINT, end_children);
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
