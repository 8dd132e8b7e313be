/* SPDX-License-Identifier: MIT */
/*
 * test_scratch - bump allocation
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/os.h"
#include "base/scratch.h"

static bool
is_filled(const unsigned char *block, size_t size, unsigned char with)
{
	for (size_t i = 0; i < size; i++)
		if (block[i] != with)
			return false;
	return true;
}

START_TEST(blocks_are_zeroed_aligned_and_apart)
{
	enum { BLOCKS = 3000 };
	static unsigned char *block[BLOCKS];
	static size_t size[BLOCKS];
	struct ps_scratch s;
	unsigned seed = 7;

	ps_scratch_init(&s, 0);
	for (unsigned i = 0; i < BLOCKS; i++) {
		size[i] = (size_t)rand_r(&seed) % (i % 100 == 0 ? 600000 : 900);
		block[i] = ps_scratch_alloc(&s, size[i]);
		ck_assert_ptr_nonnull(block[i]);
		ck_assert_uint_eq((uintptr_t)block[i] % 16, 0);
		ck_assert(is_filled(block[i], size[i], 0));
		memset(block[i], (int)(i % 255) + 1, size[i]);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		ck_assert(
		    is_filled(block[i], size[i], (unsigned char)(i % 255 + 1)));
	ps_scratch_fini(&s);
	ck_assert_uint_eq(s.total_bytes, 0);
	ck_assert_ptr_null(s.blocks);
}
END_TEST

START_TEST(only_what_was_released_goes_back)
{
	enum { SIZE = 1 << 20, FIRST = 5000, END = 900000 };
	struct ps_scratch s;
	unsigned char *block;
	unsigned char vector[SIZE / 4096 + 1];
	unsigned char *page;

	ps_scratch_init(&s, 0);
	block = ps_scratch_alloc(&s, SIZE);
	memset(block, 1, SIZE);
	ps_scratch_release(block + FIRST, END - FIRST);
	ck_assert(is_filled(block, FIRST, 1));
	ck_assert(is_filled(block + END, SIZE - END, 1));
	page = (unsigned char *)(((uintptr_t)block + FIRST + 4095) & ~4095ul);
	ck_assert_int_eq(mincore(page, 800000, vector), 0);
	ck_assert_uint_eq(vector[0] & 1, 0);
	ck_assert_uint_eq(vector[800000 / 4096 - 1] & 1, 0);
	ps_scratch_release(block, 10);
	ck_assert(is_filled(block, FIRST, 1));
	ps_scratch_fini(&s);
}
END_TEST

START_TEST(limit_is_kept)
{
	enum { LIMIT = 1 << 20 };
	struct ps_scratch s;
	unsigned got = 0;

	ps_scratch_init(&s, LIMIT);
	while (ps_scratch_alloc(&s, 1000) != NULL)
		got++;
	ck_assert_uint_gt(got, 1000);
	ck_assert_uint_le(s.total_bytes, LIMIT);
	ck_assert_ptr_null(ps_scratch_alloc(&s, LIMIT));
	ps_scratch_fini(&s);
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
	struct ps_scratch s;

	ps_scratch_init(&s, 0);
	ck_assert_ptr_null(ps_scratch_alloc(&s, SIZE_MAX));
	ck_assert_ptr_null(ps_scratch_alloc(&s, SIZE_MAX / 2));
	ck_assert_ptr_nonnull(ps_scratch_alloc(&s, 0));
	ps_scratch_fini(&s);
}
END_TEST

START_TEST(no_memory_is_null_and_recoverable)
{
	struct ps_scratch s;
	char *copy;

	ps_scratch_init(&s, 0);
	ps_os_fail_at(1, ENOMEM);
	ck_assert_ptr_null(ps_scratch_strdup(&s, "text"));
	ps_os_fail_at(0, 0);
	copy = ps_scratch_strdup(&s, "text");
	ck_assert_str_eq(copy, "text");
	ps_scratch_fini(&s);
}
END_TEST

/* What a file claims to have may be any number. */
START_TEST(arrays_have_one_item_more_and_no_size_that_wraps)
{
	struct ps_scratch s;
	uint64_t *items;

	ps_scratch_init(&s, 0);
	items = ps_scratch_array(&s, 0, sizeof(*items));
	ck_assert_ptr_nonnull(items);
	ck_assert_uint_eq(items[0], 0);
	ck_assert_ptr_null(ps_scratch_array(&s, UINT64_MAX, 1));
	ck_assert_ptr_null(ps_scratch_array(&s, UINT64_MAX / 8, 8));
	ck_assert_ptr_null(ps_scratch_array(&s, UINT64_MAX / 8 + 1, 8));
	ps_scratch_fini(&s);
}
END_TEST

Suite *
scratch_suite(void)
{
	Suite *s = suite_create("scratch");
	TCase *tc = tcase_create("scratch");

	tcase_add_test(tc, blocks_are_zeroed_aligned_and_apart);
	tcase_add_test(tc, only_what_was_released_goes_back);
	tcase_add_test(tc, limit_is_kept);
	tcase_add_test(tc, absurd_sizes_are_refused);
	tcase_add_test(tc, no_memory_is_null_and_recoverable);
	tcase_add_test(tc, arrays_have_one_item_more_and_no_size_that_wraps);
	suite_add_tcase(s, tc);
	return s;
}
