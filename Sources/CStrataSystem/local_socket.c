#define _GNU_SOURCE
#include "local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
  strcpy(address->sun_path, path);
  return 0;
}

static int closing(int fd, int error) {
  close(fd);
  return -error;
}

int strata_listen(const char *path, int backlog) {
  struct sockaddr_un address;
  int status = address_of(path, &address);
  if (status < 0) return status;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return closing(fd, errno);
  if (listen(fd, backlog) < 0) return closing(fd, errno);
  return fd;
}

int strata_connect(const char *path) {
  struct sockaddr_un address;
  int status = address_of(path, &address);
  if (status < 0) return status;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  do status = connect(fd, (struct sockaddr *)&address, sizeof address);
  while (status < 0 && errno == EINTR);
  return status < 0 ? closing(fd, errno) : fd;
}

int strata_accept(int listener) {
  int fd;
  do fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int strata_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int strata_peer(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
  *pid = peer.pid;
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

int strata_peer_groups(int socket, uint32_t *groups, int room) {
  socklen_t size = (socklen_t)room * sizeof(uint32_t);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) return -errno;
  return (int)(size / sizeof(uint32_t));
}

union control {
  struct cmsghdr header;
  char room[CMSG_SPACE(sizeof(int) * strata_most_descriptors)];
};

ssize_t strata_send(int socket, const void *bytes, size_t count, const int *descriptors,
                    int descriptor_count) {
  if (descriptor_count > strata_most_descriptors) return -EINVAL;
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  union control control = {0};
  if (descriptor_count > 0) {
    size_t size = sizeof(int) * (size_t)descriptor_count;
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(size);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), descriptors, size);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

ssize_t strata_receive(int socket, void *bytes, size_t count, int *descriptors,
                       int *descriptor_count) {
  struct iovec part = {.iov_base = bytes, .iov_len = count};
  union control control = {0};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  *descriptor_count = 0;
  ssize_t received;
  do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int number = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(descriptors, CMSG_DATA(header), (size_t)number * sizeof(int));
    *descriptor_count = number;
  }
  return received;
}

int strata_close_from(int first) {
  closefrom(first);
  return 0;
}
