/* SPDX-License-Identifier: MIT */
/*
 * waiting - children of a process with one thread, which have no recording
 * until they need one
 *
 * Prints a line for each: its name and its pid.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARM = 100, PAIRS = 1000 };

static void *warm[WARM];

static void
pair(size_t bytes)
{
	void *volatile block = malloc(bytes);

	free(block);
}

/* From a bin that has blocks, and back. */
static void
pairs(int count)
{
	for (int i = 0; i < count; i++)
		pair(40);
}

static void
idle(void)
{
	pairs(1);
	usleep(300000);
	_exit(3);
}

static void *
other_pairs(void *unused)
{
	pairs(PAIRS);
	return unused;
}

static void
threads(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, other_pairs, NULL) != 0)
		_exit(1);
	pairs(PAIRS);
	pthread_join(thread, NULL);
	pairs(PAIRS);
	_exit(0);
}

static void *
end_all(void *unused)
{
	usleep(50000);
	pair(40);
	_exit(4);
	return unused;
}

/* The thread that waited never comes to a slow path. */
static void
ended_by_another(void)
{
	pthread_t thread;

	pairs(PAIRS);
	if (pthread_create(&thread, NULL, end_all, NULL) != 0)
		_exit(1);
	pause();
}

static void
with_vfork(void)
{
	if (vfork() == 0) {
		pair(40000); /* in our memory */
		_exit(0);
	}
	wait(NULL);
	_exit(5);
}

static void
grandchild(void)
{
	pid_t child = fork();

	if (child == 0) {
		pairs(2);
		_exit(6);
	}
	printf("grandchild %d\n", (int)child);
	fflush(stdout);
	waitpid(child, NULL, 0);
	_exit(7);
}

/* What is reserved beyond the limit is given back, in the child. */
static void
limited(void)
{
	struct rlimit limit = {500 << 20, 500 << 20};
	pthread_t thread;

	if (setrlimit(RLIMIT_AS, &limit) != 0 ||
	    pthread_create(&thread, NULL, other_pairs, NULL) != 0)
		_exit(1);
	pthread_join(thread, NULL);
	_exit(0);
}

static void
killed(void)
{
	pairs(5);
	kill(getpid(), SIGKILL);
}

static void
execs(void)
{
	pairs(5);
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static const struct {
	const char *name;
	void (*run)(void);
} children[] = {
    {"idle", idle},
    {"threads", threads},
    {"another", ended_by_another},
    {"vfork", with_vfork},
    {"parent", grandchild},
    {"limited", limited},
    {"killed", killed},
    {"execs", execs},
};

int
main(void)
{
	for (int i = 0; i < WARM; i++)
		warm[i] = malloc(40);
	for (int i = 0; i < WARM / 2; i++)
		free(warm[i]);
	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++) {
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0)
			children[i].run();
		waitpid(child, NULL, 0);
		printf("%s %d\n", children[i].name, (int)child);
	}
	return 0;
}
