/* SPDX-License-Identifier: MIT */
/*
 * libask - a scenario for perfwrap.sh --load: ask server.c for one byte
 *
 * The port is in the environment, ASK_PORT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"

static int
connect_to(void *context, unsigned worker, void **state)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(getenv("ASK_PORT"))),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)context;
	(void)worker;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*state = (void *)(intptr_t)fd;
	return 0;
}

static int
ask(void *state)
{
	int fd = (int)(intptr_t)state;
	char byte = 'x';

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		return -EIO;
	return byte == 'x' ? 0 : -EBADMSG;
}

static void
leave(void *state)
{
	close((int)(intptr_t)state);
}

PS_LOAD_SCENARIO(.set_up = connect_to, .step = ask, .tear_down = leave);
