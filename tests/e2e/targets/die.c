/* SPDX-License-Identifier: MIT */
/*
 * die - allocates a known amount, then ends in the way that it is told
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 5000, BYTES = 1000 };

static void *kept[BLOCKS];

__attribute__((noinline)) static void
last_will(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		kept[i] = malloc(BYTES);
		memset(kept[i], 1, BYTES);
	}
}

/* Until the kernel ends it; only in a group with a limit. */
static void
take_all_memory(void)
{
	for (;;) {
		char *block = malloc(1 << 20);

		if (block != NULL)
			memset(block, 1, 1 << 20);
	}
}

static void *
linger(void *argument)
{
	usleep(20000);
	free(malloc(10));
	return argument;
}

/* The process ends with its last thread, as if that had called exit(0). */
static void
leave_main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, linger, NULL) == 0)
		pthread_exit(NULL);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";

	last_will();
	dprintf(1, "allocated\n");
	if (strcmp(how, "_exit") == 0)
		_exit(3);
	if (strcmp(how, "quick_exit") == 0)
		quick_exit(4);
	if (strcmp(how, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(how, "term") == 0)
		raise(SIGTERM);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "segv") == 0)
		*(volatile int *)argv[argc] = 1;
	if (strcmp(how, "oom") == 0)
		take_all_memory();
	if (strcmp(how, "pthread_exit") == 0)
		leave_main();
	if (strcmp(how, "exec") == 0)
		execl("/bin/sh", "sh", "-c", "exit 6", NULL);
	return 0;
}
