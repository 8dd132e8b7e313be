/* SPDX-License-Identifier: MIT */
/*
 * threads - threads that allocate, and free what another one allocated
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, BLOCKS = 20000 };

static char **block[THREADS];
static pthread_barrier_t all_filled;

__attribute__((noinline)) static char *
worker_allocate(int thread, int i)
{
	char *p = malloc(16 + (size_t)(i % 200));

	memset(p, thread, 16);
	return p;
}

static void *
work(void *argument)
{
	int self = (int)(long)argument;
	int other = (self + 1) % THREADS;
	long sum = 0;

	block[self] = malloc(BLOCKS * sizeof(char *));
	for (int i = 0; i < BLOCKS; i++)
		block[self][i] = worker_allocate(self, i);
	pthread_barrier_wait(&all_filled);
	for (int i = 0; i < BLOCKS; i++) {
		sum += block[other][i][15];
		free(block[other][i]);
	}
	return (void *)sum;
}

/* The first that the thread does is to free what a dead one left, whose memory
 * it may inherit. */
static void *
bury(void *block_of_the_dead)
{
	free(block_of_the_dead);
	return worker_allocate(1, 84);
}

static void
hand_over(void)
{
	void *p = worker_allocate(1, 84);

	for (int i = 0; i < 50; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, bury, p);
		pthread_join(thread, &p);
	}
	free(p);
}

int
main(void)
{
	pthread_t thread[THREADS];
	long total = 0;

	pthread_barrier_init(&all_filled, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		void *sum;

		pthread_join(thread[i], &sum);
		total += (long)sum;
	}
	for (int i = 0; i < THREADS; i++)
		free(block[i]);
	hand_over();
	printf("%ld\n", total);
	return 0;
}
