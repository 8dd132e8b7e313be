/* SPDX-License-Identifier: MIT */
/*
 * litter - a parent that does the same whether or not it forks
 *
 *	litter N: N times a child that allocates little and leaves by _exit(3),
 *	one that allocates much and is killed, and one that becomes true(1)
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LITTLE = 100, MUCH = 50000 };

static void *kept[MUCH];

__attribute__((noinline)) static void
parent_allocate(int from, int to)
{
	for (int i = from; i < to; i++) {
		kept[i] = malloc(40);
		memset(kept[i], i, 40);
	}
}

__attribute__((noinline)) static void
child_allocate(int blocks)
{
	for (int i = 0; i < blocks; i++) {
		free(kept[i]);
		kept[i] = malloc(100);
		memset(kept[i], i, 100);
	}
}

static void
become(int kind)
{
	switch (kind) {
	case 0:
		child_allocate(LITTLE);
		_exit(3);
	case 1:
		child_allocate(MUCH);
		raise(SIGKILL);
		break;
	default:
		execl("/bin/true", "true", (char *)NULL);
	}
	_exit(9);
}

int
main(int argc, char **argv)
{
	int litters = argc > 1 ? atoi(argv[1]) : 0;

	parent_allocate(0, MUCH / 2);
	for (int i = 0; i < 3 * litters; i++)
		if (fork() == 0)
			become(i % 3);
	parent_allocate(MUCH / 2, MUCH);
	while (wait(NULL) > 0)
		;
	child_allocate(LITTLE);
	return 0;
}
