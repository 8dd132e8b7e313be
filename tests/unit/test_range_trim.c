/* SPDX-License-Identifier: MIT */
/*
 * test_range_trim - what is reserved goes back when a limit is set, and what
 * is in use stays
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/os.h"
#include "pool/heap.h"
#include "pool/large.h"
#include "pool/region.h"
#include "tests/unit/pool_user.h"

enum { LARGE = 8, LARGE_BYTES = 3 << 20 };
static const uint64_t LIMIT = (uint64_t)256 << 20;

static size_t
mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%zu", &pages), 1);
	fclose(f);
	return pages * 4096;
}

static void
fill(char *blocks[LARGE], int mark)
{
	for (int i = 0; i < LARGE; i++) {
		blocks[i] = ps_large_alloc(LARGE_BYTES, 0, 0);
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert(ps_range_is_large(blocks[i]));
		memset(blocks[i], mark, LARGE_BYTES);
	}
}

static void
check_and_free(char *blocks[LARGE], int mark)
{
	for (int i = 0; i < LARGE; i++) {
		ck_assert_int_eq(blocks[i][0], mark);
		ck_assert_int_eq(blocks[i][LARGE_BYTES - 1], mark);
		ck_assert(ps_large_is_start(blocks[i]));
		ck_assert(ps_large_free(blocks[i]));
	}
}

START_TEST(what_is_in_use_stays_and_the_rest_goes)
{
	char *before[LARGE];
	char *after[LARGE];
	size_t mapped;
	size_t large;
	void *segment;

	start_pool();
	large = ps_range.large_bytes; /* less under the thread sanitizer */
	ck_assert_uint_gt(large, LIMIT * 100);
	segment = ps_range_take_segment();
	memset(segment, 1, PS_UNIT_BYTES);
	fill(before, 2);
	mapped = mapped_bytes();
	ps_range_trim(LIMIT);
	ck_assert_uint_lt(mapped_bytes(), mapped - large / 4 * 3);
	ck_assert(ps_range_is_pool(segment));
	ck_assert_int_eq(((char *)segment)[PS_UNIT_BYTES - 1], 1);
	fill(after, 3);
	check_and_free(before, 2);
	check_and_free(after, 3);
	ck_assert(!ps_range_give_segment(segment)); /* one of the first */
	ck_assert_uint_le(ps_range.bytes, LIMIT);
	ck_assert_uint_ge(ps_range.large_bytes, LIMIT);
}
END_TEST

START_TEST(the_pool_ends_where_its_room_does)
{
	void *segment;
	size_t taken = 0;

	start_pool();
	ck_assert_ptr_nonnull(ps_range_take_segment());
	ps_range_trim(LIMIT);
	while ((segment = ps_range_take_segment()) != NULL) {
		ck_assert(ps_range_is_pool(segment));
		memset(segment, 1, 4096);
		ck_assert_uint_le(taken += PS_SEGMENT_UNITS * PS_UNIT_BYTES,
				  LIMIT);
	}
	ck_assert_uint_gt(taken, LIMIT / 30);
}
END_TEST

/* A mapping of somebody else's in the way is left alone. */
START_TEST(foreign_mappings_are_not_overwritten)
{
	char *blocks[LARGE];
	void *hole;
	char *foreign;

	start_pool();
	fill(blocks, 1);
	ps_range_trim(LIMIT);
	hole = (char *)ps_range.large_base + ps_range.large_bytes - LIMIT / 2;
	foreign = mmap(hole, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_eq(foreign, hole);
	*foreign = 42;
	for (int i = 0; i < 100; i++) {
		char *block = ps_large_alloc((size_t)LARGE_BYTES, 0, 0);

		if (block != NULL)
			memset(block, 7, LARGE_BYTES);
	}
	ck_assert_int_eq(*foreign, 42);
	ck_assert_int_eq(ps_os_map_at(foreign, 4096), -EEXIST);
	check_and_free(blocks, 1);
}
END_TEST

START_TEST(a_limit_above_all_changes_nothing_and_a_second_less)
{
	size_t pool;
	size_t large;

	start_pool();
	pool = ps_range.bytes;
	large = ps_range.large_bytes;
	ps_range_trim((uint64_t)1 << 50);
	ck_assert_uint_eq(ps_range.bytes, pool);
	ck_assert_uint_eq(ps_range.large_bytes, large);
	ps_range_trim(LIMIT);
	large = ps_range.large_bytes;
	ps_range_trim(LIMIT / 2);
	ck_assert_uint_eq(ps_range.large_bytes, large);
	ck_assert_ptr_nonnull(ps_large_alloc(LARGE_BYTES, 0, 0));
	ck_assert_ptr_nonnull(ps_range_take_segment());
}
END_TEST

START_TEST(addresses_without_memory_are_the_next_ones_again)
{
	static struct ps_region region;
	uintptr_t first;
	void *memory;

	ck_assert_int_eq(ps_os_reserve((size_t)4 << 20, &memory), 0);
	ps_region_init(&region, (uintptr_t)memory, (size_t)4 << 20, NULL);
	first = ps_region_take(&region, 1 << 20, 4096);
	ck_assert_uint_eq(first, (uintptr_t)memory);
	for (int i = 0; i < 10; i++) {
		(void)ps_os_fail_at(1, ENOMEM);
		ck_assert_uint_eq(ps_region_take(&region, 1 << 20, 4096), 0);
	}
	(void)ps_os_fail_at(0, 0);
	ck_assert_uint_eq(ps_region_take(&region, 1 << 20, 4096),
			  first + (1 << 20));
	/* Where somebody else's mapping is, it goes on behind that. */
	ck_assert_uint_eq(ps_region_trim(&region, 2 << 20, true), 4 << 20);
	(void)ps_os_fail_at(1, EEXIST);
	ck_assert_uint_eq(ps_region_take(&region, 1 << 16, 4096), 0);
	(void)ps_os_fail_at(0, 0);
	ck_assert_int_eq(ps_os_unmap((char *)memory + (2 << 20), 2 << 20), 0);
	ck_assert_uint_eq(ps_region_take(&region, 1 << 16, 4096),
			  first + (2 << 20) + (2 << 16));
}
END_TEST

START_TEST(a_range_without_memory_for_its_bins_leaves_nothing)
{
	size_t before = mapped_bytes();

	(void)ps_os_fail_at(3, ENOMEM); /* limit, reservation, bins */
	start_pool();
	(void)ps_os_fail_at(0, 0);
	/* A quarter, or what of that the thread sanitizer leaves room for. */
	ck_assert_uint_le(ps_range.bytes, (size_t)16 << 30);
	ck_assert_uint_gt(ps_range.bytes, 0);
	ck_assert_uint_lt(mapped_bytes() - before, (size_t)1 << 39);
}
END_TEST

Suite *
range_trim_suite(void)
{
	Suite *s = suite_create("range_trim");
	TCase *tc = tcase_create("trim");

	tcase_add_test(tc, what_is_in_use_stays_and_the_rest_goes);
	tcase_add_test(tc, the_pool_ends_where_its_room_does);
	tcase_add_test(tc, foreign_mappings_are_not_overwritten);
	tcase_add_test(tc, a_limit_above_all_changes_nothing_and_a_second_less);
	tcase_add_test(tc, addresses_without_memory_are_the_next_ones_again);
	tcase_add_test(tc, a_range_without_memory_for_its_bins_leaves_nothing);
	suite_add_tcase(s, tc);
	return s;
}
