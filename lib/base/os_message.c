/* SPDX-License-Identifier: MIT */
/*
 * os_message - what is told to others, without a wait
 *
 * A program may have closed its standard error, and then descriptor 2 is its
 * next file, which a line of ours would damage.
 *
 * O_NONBLOCK belongs to an open file, which several processes may share, so it
 * is never set on a descriptor that was there before us: such a one is asked by
 * poll whether it takes PIPE_BUF bytes now.
 */
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/os_call.h"

/* ---- descriptor 2 ---- */

static struct stat stderr_at_start;
static bool has_stderr;

void
ps_os_remember_stderr(void)
{
	has_stderr = ps_os_fstat(2, &stderr_at_start) == 0;
}

bool
ps_os_is_stderr_unchanged(void)
{
	struct stat now;

	return has_stderr && ps_os_fstat(2, &now) == 0 &&
	       now.st_dev == stderr_at_start.st_dev &&
	       now.st_ino == stderr_at_start.st_ino &&
	       now.st_rdev == stderr_at_start.st_rdev;
}

void
ps_os_mention(const char *text)
{
	if (ps_os_is_stderr_unchanged())
		ps_os_complain(text);
}

/* ---- pipes and sockets ---- */

/* Not every machine has poll(2).  The kernel may write to the time. */
static long
wait_for_room(struct pollfd *p, int ms)
{
	struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};

	return call6(SYS_ppoll, (long)p, 1, (long)&limit, 0, 0, 0);
}

bool
ps_os_is_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return wait_for_room(&p, 0) == 1 && (p.revents & POLLOUT) != 0 &&
	       (p.revents & (POLLERR | POLLNVAL)) == 0;
}

int
ps_os_write_patiently(int fd, const void *buffer, size_t bytes, int ms)
{
	const char *at = buffer;
	ssize_t put = 0;

	PS_ASSERT(ms >= 0);
	while (bytes > 0 && (put >= 0 || put == -EINTR)) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		put = wait_for_room(&p, ms);
		if (put == 0)
			return -ETIMEDOUT;
		/* Where there is room, there is for PIPE_BUF. */
		if (put > 0)
			put = ps_os_write(fd, at,
					  PS_MIN(bytes, (size_t)PIPE_BUF));
		if (put <= 0)
			continue;
		PS_ASSERT((size_t)put <= bytes);
		at += put;
		bytes -= (size_t)put;
	}
	return bytes > 0 ? (int)put : 0;
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
