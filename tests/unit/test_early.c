/* SPDX-License-Identifier: MIT */
/*
 * test_early - large blocks before jemalloc has begun
 */
#include <check.h>
#include <pthread.h>
#include <string.h>

#include "pool/early.h"
#include "pool/large.h"
#include "pool/range.h"

static void
start(void)
{
	ps_range_init();
	ck_assert_uint_gt(ps_range.large_bytes, 0);
}

static bool
is_filled(const char *block, char with, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (block[i] != with)
			return false;
	return true;
}

START_TEST(jemalloc_does_not_begin_for_a_few)
{
	char *block[PS_EARLY_BLOCKS];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < PS_EARLY_BLOCKS; i++) {
			block[i] =
			    ps_large_alloc(40000 + 20000 * (size_t)i, 0, 0);
			ck_assert(ps_range_is_large(block[i]));
			ck_assert(ps_large_is_start(block[i]));
			ck_assert_uint_ge(ps_large_usable(block[i]),
					  40000 + 20000 * (size_t)i);
			memset(block[i], i, ps_large_usable(block[i]));
		}
		ck_assert(!ps_range_has_jemalloc());
		for (int i = 0; i < PS_EARLY_BLOCKS; i++) {
			ck_assert(is_filled(block[i], (char)i,
					    ps_large_usable(block[i])));
			ck_assert(ps_large_free(block[i]));
			ck_assert(!ps_large_free(block[i])); /* a second time */
		}
	}
	ck_assert(!ps_range_has_jemalloc());
}
END_TEST

START_TEST(what_does_not_fit_is_jemallocs)
{
	void *block = ps_large_alloc(PS_EARLY_BLOCK_MAX + 1, 0, 0);

	ck_assert(ps_range_has_jemalloc());
	ck_assert(!ps_early_holds(block));
	ck_assert(ps_large_free(block));
	block = ps_large_alloc(100000, 0, 0); /* it is there now */
	ck_assert(!ps_early_holds(block));
	ck_assert(ps_large_free(block));
}
END_TEST

START_TEST(one_too_many_is_jemallocs)
{
	void *block[PS_EARLY_BLOCKS + 1];

	for (int i = 0; i <= PS_EARLY_BLOCKS; i++) {
		block[i] = ps_large_alloc(40000, 0, 0);
		ck_assert_int_eq(ps_early_holds(block[i]), i < PS_EARLY_BLOCKS);
	}
	for (int i = 0; i <= PS_EARLY_BLOCKS; i++)
		ck_assert(ps_large_free(block[i]));
}
END_TEST

START_TEST(zeros_and_alignment_are_as_asked_for)
{
	char *block = ps_large_alloc(100000, 0, 0);

	memset(block, 'x', 100000);
	ck_assert(ps_large_free(block));
	block = ps_large_alloc(100000, JE_ZERO | JE_ALIGN(131072), 0);
	ck_assert(ps_early_holds(block));
	ck_assert_uint_eq((uintptr_t)block % 131072, 0);
	ck_assert(is_filled(block, 0, 100000));
}
END_TEST

START_TEST(resizing_keeps_what_there_is)
{
	char *block = ps_large_alloc(50000, 0, 0);
	char *grown;

	memset(block, 'x', 50000);
	grown = ps_large_realloc(block, 200000, 0);
	ck_assert_ptr_eq(grown, block);
	ck_assert_uint_ge(ps_large_usable(grown), 200000);
	memset(grown, 'x', 200000);
	grown = ps_large_realloc(grown, 1000000, 0);
	ck_assert(!ps_early_holds(grown));
	ck_assert(is_filled(grown, 'x', 200000));
	ck_assert(!ps_large_is_start(block));
	ck_assert(ps_large_is_start(grown));
	ck_assert(ps_large_free(grown));
}
END_TEST

START_TEST(free_memory_goes_back_after_two_steps)
{
	char *kept = ps_large_alloc(100000, 0, 0);
	char *block = ps_large_alloc(100000, 0, 0);

	memset(kept, 'k', 100000);
	memset(block, 'x', 100000);
	ck_assert(ps_large_free(block));
	ps_early_decay();
	ck_assert_int_eq(*block, 'x');
	ps_early_decay();
	ck_assert(is_filled(block, 0, 100000));
	ck_assert(is_filled(kept, 'k', 100000));
	ck_assert_ptr_eq(ps_large_alloc(100000, 0, 0), block);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };
static _Atomic int damaged;

static void *
take_and_give(void *number)
{
	char mark = (char)(1 + (intptr_t)number);

	for (int i = 0; i < ROUNDS; i++) {
		char *block = ps_early_alloc(40000, 16, i % 2 == 0);

		if (block == NULL)
			continue;
		if (i % 2 == 0 && block[39999] != 0)
			damaged = 1;
		block[0] = block[39999] = mark;
		if (i % 64 == 0)
			ps_early_decay();
		if (block[0] != mark || block[39999] != mark)
			damaged = 1;
		ps_early_free(block);
	}
	return NULL;
}

START_TEST(threads_never_share_a_slot)
{
	pthread_t thread[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, take_and_give, (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(damaged, 0);
}
END_TEST

Suite *early_suite(void);
Suite *
early_suite(void)
{
	Suite *s = suite_create("early");
	TCase *t = tcase_create("early");

	tcase_add_checked_fixture(t, start, NULL);
	tcase_add_test(t, jemalloc_does_not_begin_for_a_few);
	tcase_add_test(t, what_does_not_fit_is_jemallocs);
	tcase_add_test(t, one_too_many_is_jemallocs);
	tcase_add_test(t, zeros_and_alignment_are_as_asked_for);
	tcase_add_test(t, resizing_keeps_what_there_is);
	tcase_add_test(t, free_memory_goes_back_after_two_steps);
	tcase_add_test(t, threads_never_share_a_slot);
	suite_add_tcase(s, t);
	return s;
}
