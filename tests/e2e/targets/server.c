/* SPDX-License-Identifier: MIT */
/*
 * server - answers each byte with the same byte, on a free port of loopback
 *
 *	server FILE [PERCENT]
 *
 * Writes its port to FILE.  PERCENT of the answers, at fixed distances, are '!'
 * in place of the byte.  One thread, any number of connections.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 128 };

static int
listen_on_loopback(const char *file)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *out;

	if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
	    listen(fd, CONNECTIONS) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		exit(1);
	out = fopen(file, "w");
	if (out == NULL || fprintf(out, "%d\n", ntohs(address.sin_port)) < 0 ||
	    fclose(out) != 0)
		exit(1);
	return fd;
}

static unsigned
take_connection(int listener, struct pollfd *polled, unsigned count)
{
	int on = 1;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0 || count == CONNECTIONS)
		return count;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	polled[count] = (struct pollfd){.fd = fd, .events = POLLIN};
	return count + 1;
}

static void
answer(struct pollfd *p, unsigned wrong_of_100)
{
	static unsigned asked;
	char byte;

	if (read(p->fd, &byte, 1) != 1) {
		close(p->fd);
		p->fd = -1; /* poll leaves it out */
		return;
	}
	if (asked++ % 100 < wrong_of_100)
		byte = '!';
	if (write(p->fd, &byte, 1) != 1)
		p->fd = -1;
}

int
main(int argc, char **argv)
{
	struct pollfd polled[CONNECTIONS];
	unsigned wrong_of_100 = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	unsigned count = 1;

	polled[0] = (struct pollfd){.fd = listen_on_loopback(argv[1]),
				    .events = POLLIN};
	for (;;) {
		if (poll(polled, count, -1) < 0)
			return 1;
		for (unsigned i = 1; i < count; i++)
			if (polled[i].revents != 0)
				answer(&polled[i], wrong_of_100);
		if (polled[0].revents != 0)
			count = take_connection(polled[0].fd, polled, count);
	}
}
