/* SPDX-License-Identifier: MIT */
/*
 * ended - threads that end one after the other, each leaving a block to main
 *
 * Prints by how much mallinfo2 grew over all of them; then forks a child, which
 * frees one of four blocks that main still has, takes another, and ends.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 300, BYTES = 1024, KEPT = 4 };

static void *
leaves_a_block(void *unused)
{
	(void)unused;
	return malloc(BYTES);
}

static void *
from_thread(void)
{
	pthread_t thread;
	void *block;

	if (pthread_create(&thread, NULL, leaves_a_block, NULL) != 0 ||
	    pthread_join(thread, &block) != 0)
		exit(1);
	return block;
}

int
main(void)
{
	void *kept[KEPT];
	size_t before;
	size_t grown;
	pid_t child;

	free(from_thread()); /* what the first one takes for good */
	before = mallinfo2().uordblks;
	for (int i = 0; i < THREADS; i++)
		free(from_thread());
	grown = mallinfo2().uordblks - before;
	for (int i = 0; i < KEPT; i++)
		kept[i] = malloc(BYTES);
	printf("%zd\n", (ssize_t)grown);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		free(kept[0]);
		kept[0] = malloc(1); /* who allocates nothing has no file */
		exit(kept[0] == NULL);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		return 1;
	for (int i = 0; i < KEPT; i++)
		free(kept[i]);
	return 0;
}
