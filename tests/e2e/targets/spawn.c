/* SPDX-License-Identifier: MIT */
/*
 * spawn - starts a program through vfork, and one through posix_spawn
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

__attribute__((noinline)) static void
fill(void *volatile *kept, int n)
{
	for (int i = 0; i < n; i++)
		kept[i] = calloc(1, 64);
}

int
main(int argc, char **argv)
{
	char *const command[] = {"sh", "-c", "exit 5", NULL};
	static void *volatile kept[2000];
	int first;
	int second;
	pid_t child;

	(void)argc;
	fill(kept, 1000);
	child = vfork();
	if (child == 0) {
		execv("/bin/sh", command);
		_exit(127);
	}
	waitpid(child, &first, 0);
	if (posix_spawn(&child, "/bin/sh", NULL, NULL, command, environ) != 0)
		return 1;
	waitpid(child, &second, 0);
	child = vfork();
	if (child == 0) {
		execv("/nonexistent/program", argv);
		_exit(9);
	}
	waitpid(child, NULL, 0);
	fill(kept + 1000, 1000);
	printf("%d %d\n", WEXITSTATUS(first), WEXITSTATUS(second));
	return 0;
}
