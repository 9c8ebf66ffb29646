import Glibc
import Testing

/// Listings of a directory that changes while others list it.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct ListingTests {
  /// Looks for what it has just made, and for what it has just removed, while others list.
  private static let program = #"""
    #define _GNU_SOURCE
    #include <dirent.h>
    #include <fcntl.h>
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdio.h>
    #include <string.h>
    #include <unistd.h>
    enum { kept = 3000, seconds = 8 };
    static atomic_int over, made, wrong;

    static int shows(const char *wanted) {
      int found = 0, others = 0;
      DIR *directory = opendir(".");
      for (struct dirent *entry; (entry = readdir(directory));) {
        if (wanted && !strcmp(entry->d_name, wanted)) found++;
        if (entry->d_name[0] == 'k') others++;
      }
      closedir(directory);
      if (others != kept && wrong++ < 5) printf("%d of %d others\n", others, kept);
      return found;
    }

    static void make(const char *name) { close(open(name, O_CREAT | O_WRONLY | O_EXCL, 0644)); }

    static void *list(void *unused) {
      while (!over) shows(NULL);
      return unused;
    }

    static void *change(void *id) {
      for (int count = 0; !over; count++, made++) {
        char name[64];
        sprintf(name, "n%ld-%d", (long)id, count % 64);
        make(name);
        for (int look = 0; look < 3; look++) {
          usleep(100 * (count % 5));
          if (shows(name) != 1 && wrong++ < 5) printf("%s is not listed\n", name);
        }
        unlink(name);
        if (shows(name) != 0 && wrong++ < 5) printf("%s is still listed\n", name);
      }
      return id;
    }

    int main(void) {
      for (int count = 0; count < kept; count++) {
        char name[64];
        sprintf(name, "k%d", count);
        make(name);
      }
      pthread_t threads[5];
      for (long id = 0; id < 5; id++)
        pthread_create(&threads[id], NULL, id < 3 ? list : change, (void *)id);
      sleep(seconds);
      over = 1;
      for (int id = 0; id < 5; id++) pthread_join(threads[id], NULL);
      if (made == 0) puts("nothing was made");
      return wrong > 0 || made == 0;
    }
    """#

  @Test func `what is made is listed and what is gone is not, while others list`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("list.c", Self.program)
    let line = "cc -O2 -pthread -o list list.c && mkdir place && cd place && ../list"
    let result = try Finished.strata(["run", "-q", "--", "sh", "-ec", line], in: tree.path)
    #expect(result.status == 0, "\(result)")
  }
}
