/* SPDX-License-Identifier: MIT */
/*
 * family - a parent that forks three children, each of which allocates
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 30000 };

static void *kept[BLOCKS];

__attribute__((noinline)) static void
parent_allocate(void)
{
	for (int i = 0; i < BLOCKS; i++)
		kept[i] = strdup("from the parent");
}

__attribute__((noinline)) static void
child_allocate(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		free(kept[i]); /* the parent's block */
		kept[i] = malloc(100);
		memset(kept[i], i, 100);
	}
}

int
main(void)
{
	int ended = 0;

	parent_allocate();
	usleep(600000); /* the pool's next look at the time falls on the fork */
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (child == 0) {
			child_allocate();
			exit(10 + i);
		}
		dprintf(1, "child %d\n", i);
	}
	for (int i = 0; i < 3; i++) {
		int status;

		wait(&status);
		ended += WEXITSTATUS(status);
	}
	printf("statuses add up to %d\n", ended);
	return 0;
}
