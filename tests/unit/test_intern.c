/* SPDX-License-Identifier: MIT */
/*
 * test_intern - equal strings have equal numbers, others have others
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/intern.h"

enum { MANY = 20000 };

static struct ps_scratch scratch;

static void
set_up(void)
{
	ps_scratch_init(&scratch, 0);
}

static void
tear_down(void)
{
	ps_scratch_fini(&scratch);
}

START_TEST(numbers_count_from_zero_and_stay)
{
	struct ps_intern set;
	char key[24];
	uint32_t number;

	ps_intern_init(&set, &scratch, true, sizeof(uint32_t));
	for (uint32_t i = 0; i < MANY; i++) {
		memset(key, 0, sizeof(key));
		snprintf(key, sizeof(key), "key %u", i);
		ck_assert_int_eq(ps_intern(&set, key, strlen(key), &number), 1);
		ck_assert_uint_eq(number, i);
		*(uint32_t *)ps_intern_value(&set, number) = ~i;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		ck_assert_int_eq(ps_intern(&set, key, strlen(key), &number), 0);
		ck_assert_uint_eq(number, i);
		ck_assert_uint_eq(*(uint32_t *)ps_intern_value(&set, i), ~i);
	}
}
END_TEST

/* Lengths matter, zeros too; the empty key is one like others. */
START_TEST(keys_are_bytes_not_text)
{
	static const char zeros[64];
	struct ps_intern set;
	uint32_t number;

	ps_intern_init(&set, &scratch, false, 0);
	for (uint32_t i = 0; i < sizeof(zeros); i++) {
		ck_assert_int_eq(ps_intern(&set, zeros, i, &number), 1);
		ck_assert_uint_eq(number, i);
	}
	ck_assert_int_eq(ps_intern(&set, zeros + 8, 7, &number), 0);
	ck_assert_uint_eq(number, 7);
}
END_TEST

START_TEST(without_memory_nothing_is_added)
{
	struct ps_scratch small;
	struct ps_intern set;
	uint32_t number = 77;

	ps_scratch_init(&small, 4096);
	ps_intern_init(&set, &small, true, 0);
	ck_assert_int_eq(ps_intern(&set, "a", 1, &number), -ENOMEM);
	ck_assert_uint_eq(number, 77);
	ck_assert_uint_eq(set.count, 0);
	ps_scratch_fini(&small);
}
END_TEST

Suite *
intern_suite(void)
{
	Suite *s = suite_create("intern");
	TCase *keys = tcase_create("keys");

	tcase_add_checked_fixture(keys, set_up, tear_down);
	tcase_add_test(keys, numbers_count_from_zero_and_stay);
	tcase_add_test(keys, keys_are_bytes_not_text);
	tcase_add_test(keys, without_memory_nothing_is_added);
	suite_add_tcase(s, keys);
	return s;
}
