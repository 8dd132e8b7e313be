/* SPDX-License-Identifier: MIT */
/*
 * test_guard - guarded and poisoned blocks: where they lie, what is seen
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"
#include "pool/guard.h"
#include "pool/poison.h"
#include "tests/unit/ending.h"

enum { LIVE_MAX = 400 };

static void
start_guard(void)
{
	ck_assert_int_eq(ps_guard_init(LIVE_MAX), 0);
	ck_assert_uint_gt(ps_guard_range.bytes, 0);
}

static void
give(struct ps_guard *g)
{
	ck_assert(ps_guard_claim(g));
	ps_guard_free(g);
}

static const struct {
	size_t size;
	size_t align;
} shape[] = {{0, 16},	    {1, 16},	{16, 16},      {17, 16},
	     {4095, 16},    {4096, 16}, {4097, 16},    {100000, 64},
	     {100, 4096},   {1, 65536}, {1 << 20, 16}, {3000, 1 << 20},
	     {24 << 20, 16}};

START_TEST(a_block_is_zeroed_aligned_and_ends_near_its_guard)
{
	struct ps_guard *g;
	char *block = ps_guard_alloc(shape[_i].size, shape[_i].align, &g);

	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq((uintptr_t)block % shape[_i].align, 0);
	ck_assert_uint_eq(g->bytes, shape[_i].size);
	ck_assert(ps_guard_holds(block));
	ck_assert_ptr_eq(ps_guard_find(block), g);
	for (size_t i = 0; i < shape[_i].size; i++)
		if (block[i] != 0)
			ck_abort_msg("byte %zu is not zero", i);
	memset(block, 1, shape[_i].size);
	ck_assert_ptr_null(ps_guard_damage(g));
	give(g);
	ck_assert_ptr_eq(ps_guard_find(block), g);
	ck_assert(!ps_guard_claim(g));
}
END_TEST

START_TEST(bytes_written_around_a_block_are_found)
{
	size_t size = shape[_i].size;
	struct ps_guard *g;
	char *block = ps_guard_alloc(size, shape[_i].align, &g);
	char *end = (char *)g->place + ((size_t)4096 << g->order);
	char *first = (char *)((uintptr_t)block & ~(uintptr_t)4095);

	for (char *at = block + size; at < end && at < block + size + 4096;
	     at += 5) {
		char was = *at;

		*at = 'a';
		ck_assert_ptr_eq(ps_guard_damage(g), at);
		*at = was;
	}
	for (char *at = first; at < block; at += 7) {
		char was = *at;

		*at = 'a';
		ck_assert_ptr_eq(ps_guard_damage(g), at);
		*at = was;
	}
	ck_assert_ptr_null(ps_guard_damage(g));
}
END_TEST

START_TEST(a_dead_place_is_used_again_late)
{
	enum { ROUNDS = 40000 };
	static void *blocks[ROUNDS];
	size_t again = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		struct ps_guard *g;

		blocks[i] = ps_guard_alloc(64, 16, &g);
		give(g);
	}
	while (again < ROUNDS - 1 && blocks[++again] != blocks[0])
		;
	/* not before as many others as the quarantine holds */
	ck_assert_uint_gt(again, 16000);
	ck_assert_uint_lt(again, 17000);
}
END_TEST

START_TEST(a_block_is_zeroed_where_the_last_one_could_not_go)
{
	enum { ROUNDS = 40, BYTES = 24 << 20 };
	void *first = NULL;
	struct ps_guard *g;
	char *block;

	for (int i = 0; i < ROUNDS; i++) {
		block = ps_guard_alloc(BYTES, 16, &g);
		ck_assert_ptr_nonnull(block);
		if (i == 0) {
			first = block;
			memset(block, 1, BYTES);
			(void)ps_os_fail_at(1, ENOMEM);
		}
		if (i > 0 && block == first)
			break;
		give(g);
		(void)ps_os_fail_at(0, 0);
	}
	ck_assert_ptr_eq(block, first);
	ck_assert_int_eq(block[0], 0);
	ck_assert_int_eq(block[BYTES - 1], 0);
}
END_TEST

START_TEST(few_get_one_when_there_are_many)
{
	struct ps_guard *g;
	size_t served = 0;
	size_t first_refused = 0;

	for (size_t i = 0; i < 100 * LIVE_MAX; i++) {
		if (ps_guard_alloc(64, 16, &g) != NULL)
			served++;
		else if (first_refused == 0)
			first_refused = i;
	}
	ck_assert_uint_eq(served, LIVE_MAX);
	ck_assert_uint_ge(first_refused, LIVE_MAX / 2);
	give(g);
}
END_TEST

static void
read_beyond(void)
{
	struct ps_guard *g;
	volatile char *block = ps_guard_alloc(64, 16, &g);

	(void)block[64];
}

static void
read_dead(void)
{
	struct ps_guard *g;
	volatile char *block = ps_guard_alloc(100000, 16, &g);

	give(g);
	(void)block[50000];
}

START_TEST(what_may_not_be_touched_faults)
{
	char said[400];
	int status =
	    ending_of(_i == 0 ? read_beyond : read_dead, said, sizeof(said));

#ifdef __SANITIZE_ADDRESS__
	ck_assert_int_ne(status, 0); /* it has the last word */
#else
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
#endif
}
END_TEST

static void *
churn(void *number)
{
	struct ps_guard *kept[16] = {0};
	uint64_t random = (uintptr_t)number * 2654435761u + 1;

	for (int i = 0; i < 5000; i++) {
		size_t at;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		at = random % PS_COUNT(kept);
		if (kept[at] != NULL) {
			if (*(uint64_t *)kept[at]->start !=
			    ~(uintptr_t)kept[at])
				return "a block was written to";
			if (ps_guard_damage(kept[at]) != NULL)
				return "around a block was written to";
			if (!ps_guard_claim(kept[at]))
				return "a live block is not live";
			ps_guard_free(kept[at]);
			kept[at] = NULL;
		} else if (ps_guard_alloc(8 + random % 9000, 16, &kept[at]) !=
			   NULL) {
			*(uint64_t *)kept[at]->start = ~(uintptr_t)kept[at];
		}
	}
	return NULL;
}

START_TEST(threads_get_places_of_their_own)
{
	pthread_t thread[4];
	void *problem;

	for (uintptr_t i = 0; i < PS_COUNT(thread); i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + 1));
	for (size_t i = 0; i < PS_COUNT(thread); i++) {
		pthread_join(thread[i], &problem);
		if (problem != NULL)
			ck_abort_msg("%s", (char *)problem);
	}
}
END_TEST

static _Atomic int are_done;

static void *
churn_on(void *number)
{
	void *problem = NULL;

	for (int i = 0; i < 4 && problem == NULL; i++)
		problem = churn(number);
	are_done++;
	return problem;
}

/* hazard: T4 the process exits while threads allocate */
START_TEST(blocks_stay_while_they_are_looked_at)
{
	pthread_t thread[2];
	struct ps_guard *g = NULL;
	void *problem;

	are_done = 0;
	for (uintptr_t i = 0; i < PS_COUNT(thread); i++)
		pthread_create(&thread[i], NULL, churn_on, (void *)(i + 1));
	while (are_done < (int)PS_COUNT(thread)) {
		g = ps_guard_next(g);
		if (g != NULL)
			ck_assert_ptr_null(ps_guard_damage(g));
	}
	while (g != NULL)
		g = ps_guard_next(g);
	for (size_t i = 0; i < PS_COUNT(thread); i++) {
		pthread_join(thread[i], &problem);
		if (problem != NULL)
			ck_abort_msg("%s", (char *)problem);
	}
}
END_TEST

/* ---- poison ------------------------------------------------------------- */

START_TEST(a_write_to_any_byte_is_found)
{
	static char memory[300];
	struct ps_poisoned oldest;
	size_t size = 1 + (size_t)_i * 13;
	struct ps_poisoned p = {.block = memory + _i, .bytes = size};

	ck_assert(!ps_poison_put(&p, &oldest));
	ck_assert_ptr_null(ps_poison_damage(&p));
	for (size_t i = 0; i < size; i++) {
		char was = memory[_i + i];

		memory[(size_t)_i + i] ^= 1;
		ck_assert_ptr_eq(ps_poison_damage(&p), memory + _i + i);
		memory[(size_t)_i + i] = was;
	}
	ck_assert(ps_poison_find(memory + _i, &oldest));
	ck_assert(!ps_poison_find(memory + _i + 1, &oldest));
}
END_TEST

START_TEST(blocks_leave_in_the_order_they_came)
{
	enum { BLOCKS = 40000 };
	static char memory[BLOCKS][16];
	struct ps_poisoned oldest;
	size_t out = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		struct ps_poisoned p = {
		    .block = memory[i], .bytes = 16, .made_at = (uint32_t)i};

		if (!ps_poison_put(&p, &oldest))
			continue;
		ck_assert_ptr_eq(oldest.block, memory[out]);
		ck_assert_uint_eq(oldest.made_at, out);
		out++;
	}
	ck_assert_uint_gt(out, 0);
	for (; ps_poison_take(&oldest); out++)
		ck_assert_ptr_eq(oldest.block, memory[out]);
	ck_assert_uint_eq(out, BLOCKS);
}
END_TEST

START_TEST(large_blocks_do_not_wait_for_ever)
{
	static char memory[1 << 20];
	struct ps_poisoned p = {.block = memory, .bytes = sizeof(memory)};
	struct ps_poisoned oldest;
	size_t waiting = 0;

	while (!ps_poison_put(&p, &oldest))
		ck_assert_uint_lt(++waiting, 100);
	ck_assert_uint_eq(waiting, 32);
}
END_TEST

Suite *
guard_suite(void)
{
	Suite *s = suite_create("guard");
	TCase *guard = tcase_create("guard");
	TCase *poison = tcase_create("poison");

	tcase_add_checked_fixture(guard, start_guard, NULL);
	tcase_set_timeout(guard, 60);
	tcase_add_loop_test(guard,
			    a_block_is_zeroed_aligned_and_ends_near_its_guard,
			    0, (int)PS_COUNT(shape));
	tcase_add_loop_test(guard, bytes_written_around_a_block_are_found, 0,
			    (int)PS_COUNT(shape));
	tcase_add_test(guard, a_dead_place_is_used_again_late);
	tcase_add_test(guard,
		       a_block_is_zeroed_where_the_last_one_could_not_go);
	tcase_add_test(guard, few_get_one_when_there_are_many);
	tcase_add_loop_test(guard, what_may_not_be_touched_faults, 0, 2);
	tcase_add_test(guard, threads_get_places_of_their_own);
	tcase_add_test(guard, blocks_stay_while_they_are_looked_at);
	suite_add_tcase(s, guard);
	tcase_add_loop_test(poison, a_write_to_any_byte_is_found, 0, 16);
	tcase_add_test(poison, blocks_leave_in_the_order_they_came);
	tcase_add_test(poison, large_blocks_do_not_wait_for_ever);
	suite_add_tcase(s, poison);
	return s;
}
