/* Zephyr's sockets are those of POSIX with a prefix. */
#ifndef ZEPHYR_DOUBLE_SOCKET_H
#define ZEPHYR_DOUBLE_SOCKET_H

#include "../../../double.h"

#define zsock_recv                      recv
#define zsock_send(fd, buf, len, flags) send(fd, buf, len, (flags) | MSG_NOSIGNAL)
#define zsock_poll                      poll
#define zsock_pollfd                    pollfd
#define zsock_close                     close
#define zsock_socket                    socket
#define zsock_connect                   connect
#define zsock_inet_pton                 inet_pton
#define ZSOCK_MSG_DONTWAIT              MSG_DONTWAIT
#define ZSOCK_POLLIN                    POLLIN
#define ZSOCK_POLLOUT                   POLLOUT

#endif
