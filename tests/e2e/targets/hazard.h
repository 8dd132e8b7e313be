/* SPDX-License-Identifier: MIT */
/*
 * hazard - main of the programs that do what breaks preloads
 *
 * Each case is named on the command line; it prints what the shell compares
 * with a run without the shim, and returns the exit status.
 */
#ifndef PS_TARGET_HAZARD_H
#define PS_TARGET_HAZARD_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* What the compiler knows of malloc must not decide the answers. */
__attribute__((unused)) static void *(*volatile do_malloc)(size_t) = malloc;
__attribute__((unused)) static void *(*volatile do_calloc)(size_t,
							   size_t) = calloc;
__attribute__((unused)) static void *(*volatile do_realloc)(void *,
							    size_t) = realloc;
__attribute__((unused)) static void (*volatile do_free)(void *) = free;

/* The handler, again and again. */
__attribute__((unused)) static void
every(long us, void (*handler)(int))
{
	struct itimerval timer = {{0, us}, {0, us}};
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

struct hazard_case {
	const char *name;
	int (*run)(long count);
};

static inline int
wrong(const char *what)
{
	printf("wrong: %s (errno %d)\n", what, errno);
	return 1;
}

static inline int
hazard_main(int argc, char **argv, const struct hazard_case *cases, size_t n)
{
	for (size_t i = 0; i < n && argc > 1; i++)
		if (strcmp(argv[1], cases[i].name) == 0)
			return cases[i].run(argc > 2 ? atol(argv[2]) : 0);
	fprintf(stderr, "no such case\n");
	return 2;
}

#define HAZARD_MAIN(cases)                                                     \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		return hazard_main(argc, argv, cases,                          \
				   sizeof(cases) / sizeof(*(cases)));          \
	}

#endif /* PS_TARGET_HAZARD_H */
