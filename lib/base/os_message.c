/* SPDX-License-Identifier: MIT */
/*
 * os_message - pipes and sockets that take a message without a wait
 *
 * O_NONBLOCK belongs to an open file, which several processes may share, so it
 * is never set on a descriptor that was there before us: such a one is asked by
 * poll whether it takes PIPE_BUF bytes now.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/os_call.h"

bool
ps_os_is_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return CALL3(SYS_poll, &p, 1, 0) == 1 && (p.revents & POLLOUT) != 0 &&
	       (p.revents & (POLLERR | POLLNVAL)) == 0;
}

int
ps_os_send(const char *path, const void *buffer, size_t bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	long fd;
	long sent;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	fd = CALL3(SYS_socket, AF_UNIX,
		   SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	sent =
	    call6(SYS_sendto, fd, (long)buffer, (long)bytes,
		  MSG_DONTWAIT | MSG_NOSIGNAL, (long)&address, sizeof(address));
	(void)ps_os_close((int)fd);
	return sent < 0 ? (int)sent : 0;
}
