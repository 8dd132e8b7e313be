/* SPDX-License-Identifier: MIT */
/*
 * test_starts - where blocks of jemalloc's begin, in the range and outside
 */
#include <check.h>

#include "pool/large.h"
#include "pool/outside.h"
#include "pool/range.h"

static struct ps_starts starts;
static char *const base = (char *)((uintptr_t)1 << 40);

static void
cover(void)
{
	ps_starts_init(&starts, (uintptr_t)base, (size_t)1 << 30);
	ck_assert_uint_ne(starts.bytes, 0);
}

START_TEST(a_block_starts_where_it_was_made_and_once)
{
	ck_assert(!ps_starts_has(&starts, base + 8192));
	ps_starts_add(&starts, base + 8192);
	ck_assert(ps_starts_has(&starts, base + 8192));
	ck_assert(!ps_starts_has(&starts, base + 4096));
	ck_assert(!ps_starts_has(&starts, base + 12288));
	ck_assert(!ps_starts_has(&starts, base + 8192 + 16));
	ck_assert(ps_starts_drop(&starts, base + 8192));
	ck_assert(!ps_starts_drop(&starts, base + 8192));
	ck_assert(!ps_starts_has(&starts, base + 8192));
}
END_TEST

START_TEST(small_blocks_are_believed_where_some_were_made)
{
	ps_starts_add(&starts, base + 4096 + 48);
	ck_assert(ps_starts_has(&starts, base + 4096 + 96));
	ck_assert(ps_starts_drop(&starts, base + 4096 + 48));
	ck_assert(ps_starts_drop(&starts, base + 4096 + 48));
	ck_assert(!ps_starts_has(&starts, base + 8192 + 48));
	ck_assert(!ps_starts_has(&starts, base + 4096));
}
END_TEST

START_TEST(the_ends_are_covered_and_nothing_beyond)
{
	char *last = base + starts.bytes - 4096;

	ps_starts_add(&starts, base);
	ps_starts_add(&starts, last);
	ck_assert(ps_starts_drop(&starts, base));
	ck_assert(ps_starts_drop(&starts, last));
	ck_assert(!ps_starts_has(&starts, last));
	/* what is not covered is not denied */
	ck_assert(ps_starts_has(&starts, base - 4096));
	ck_assert(ps_starts_has(&starts, base + starts.bytes));
}
END_TEST

START_TEST(outside_knows_its_own)
{
	static char *blocks[200];
	int foreign;

	ps_range_init();
	ck_assert(!ps_outside_holds(&foreign));
	for (size_t i = 0; i < PS_COUNT(blocks); i++) {
		blocks[i] = ps_outside_alloc(
		    16 + i * i * 100, i % 3 == 0 ? JE_ALIGN(65536) : 0, false);
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert(ps_outside_holds(blocks[i]));
		ck_assert(ps_large_is_start(blocks[i]));
	}
	ck_assert(!ps_outside_holds(&foreign));
	for (size_t i = 0; i < PS_COUNT(blocks); i++) {
		ck_assert(ps_large_free(blocks[i]));
		if ((uintptr_t)blocks[i] % 4096 == 0)
			ck_assert(!ps_large_is_start(blocks[i]));
	}
}
END_TEST

Suite *
starts_suite(void)
{
	Suite *s = suite_create("starts");
	TCase *map = tcase_create("map");
	TCase *outside = tcase_create("outside");

	tcase_add_checked_fixture(map, cover, NULL);
	tcase_add_test(map, a_block_starts_where_it_was_made_and_once);
	tcase_add_test(map, small_blocks_are_believed_where_some_were_made);
	tcase_add_test(map, the_ends_are_covered_and_nothing_beyond);
	suite_add_tcase(s, map);
	tcase_add_test(outside, outside_knows_its_own);
	suite_add_tcase(s, outside);
	return s;
}
