/* SPDX-License-Identifier: MIT */
/*
 * test_queue - bounded, in order, and nothing lost or twice among threads
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/os.h"
#include "monitor/queue.h"

enum { PUSHERS = 4, EACH = 50000 };

static struct ps_queue queue;

static void
setup(void)
{
	ps_queue_init(&queue);
}

static bool
push(uint32_t number)
{
	struct ps_alert alert = {.section = number, .value = number};

	return ps_queue_push(&queue, &alert);
}

START_TEST(comes_out_in_order)
{
	struct ps_alert out;

	for (uint32_t round = 0; round < 1000; round++) {
		for (uint32_t i = 0; i < round % PS_QUEUE_ALERTS; i++)
			ck_assert(push(i));
		for (uint32_t i = 0; i < round % PS_QUEUE_ALERTS; i++) {
			ck_assert(ps_queue_take(&queue, &out));
			ck_assert_uint_eq(out.section, i);
		}
		ck_assert(!ps_queue_take(&queue, &out));
	}
}
END_TEST

START_TEST(full_drops_the_new_and_counts)
{
	struct ps_alert out;

	for (uint32_t i = 0; i < PS_QUEUE_ALERTS; i++)
		ck_assert(push(i));
	for (uint32_t i = 0; i < 10; i++)
		ck_assert(!push(1000 + i));
	ck_assert_uint_eq(ps_peek(&queue.dropped), 10);
	ck_assert(ps_queue_take(&queue, &out));
	ck_assert_uint_eq(out.section, 0);
	ck_assert(push(7));
}
END_TEST

static _Atomic uint32_t pushed_count;
static _Atomic int running;

static void *
pusher(void *first)
{
	uint32_t start = (uint32_t)(uintptr_t)first;

	for (uint32_t i = 0; i < EACH; i++)
		if (push(start + i))
			atomic_fetch_add(&pushed_count, 1);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static uint32_t
take_all(unsigned char *seen)
{
	struct ps_alert out;
	uint32_t count = 0;

	for (;;) {
		bool is_last = atomic_load(&running) == 0;

		while (ps_queue_take(&queue, &out)) {
			ck_assert_uint_lt(out.section, PUSHERS * EACH);
			ck_assert(out.value == (double)out.section);
			ck_assert_uint_eq(seen[out.section]++, 0);
			count++;
		}
		if (is_last)
			return count;
		ps_os_yield();
	}
}

START_TEST(threads_lose_nothing_silently)
{
	pthread_t threads[PUSHERS];
	unsigned char *seen = calloc(PUSHERS, EACH);
	uint32_t taken;

	atomic_store(&running, PUSHERS);
	for (uintptr_t i = 0; i < PUSHERS; i++)
		pthread_create(&threads[i], NULL, pusher, (void *)(i * EACH));
	taken = take_all(seen);
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(taken, atomic_load(&pushed_count));
	ck_assert_uint_eq(taken + ps_peek(&queue.dropped), PUSHERS * EACH);
	ck_assert_uint_gt(taken, 0);
	free(seen);
}
END_TEST

Suite *
queue_suite(void)
{
	Suite *s = suite_create("queue");
	TCase *t = tcase_create("queue");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, comes_out_in_order);
	tcase_add_test(t, full_drops_the_new_and_counts);
	tcase_add_test(t, threads_lose_nothing_silently);
	suite_add_tcase(s, t);
	return s;
}
