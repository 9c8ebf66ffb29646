#ifndef STRATA_LOCAL_SOCKET_H
#define STRATA_LOCAL_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Stream sockets of the machine, close-on-exec. All return a descriptor, a count or 0, or -errno.

/// Listens at a new name; ENAMETOOLONG beyond what a socket's address has room for.
int strata_listen(const char *path, int backlog);
int strata_connect(const char *path);
int strata_accept(int listener);

/// Two sockets that are connected to each other.
int strata_socket_pair(int ends[2]);

/// Who connected, or listens: as it was at that moment.
int strata_peer(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid);

/// The peer's supplementary groups; their number, at most `room`, or -errno.
int strata_peer_groups(int socket, uint32_t *groups, int room);

/// So many descriptors may go with one message.
enum { strata_most_descriptors = 8 };

/// Sends some of the bytes, and with the first of them the descriptors.
ssize_t strata_send(int socket, const void *bytes, size_t count, const int *descriptors,
                    int descriptor_count);

/// Receives bytes, 0 at the end, and the descriptors that came with them, close-on-exec;
/// `descriptors` has room for `strata_most_descriptors`.
ssize_t strata_receive(int socket, void *bytes, size_t count, int *descriptors,
                       int *descriptor_count);

/// Closes all descriptors from `first` on.
int strata_close_from(int first);

#endif
