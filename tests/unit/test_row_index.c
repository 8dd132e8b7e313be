/* SPDX-License-Identifier: MIT */
/*
 * test_row_index - what was entered is found in tables of every size, also by
 * threads that look while it grows
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "profile/row_index.h"

enum { BITS = 14, ROWS = 1 << 13 };

static _Atomic uint32_t *slots;
static struct ps_row_index rows;
static _Atomic uint32_t entered;

/* Four rows share each. */
static uint64_t
hash_of(uint32_t row)
{
	return (row / 4 + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static _Atomic uint32_t *
find(uint32_t row)
{
	struct ps_row_table table = ps_row_index_table(&rows);

	for (uint32_t i = 0; i < PS_ROW_PROBES_MAX; i++) {
		_Atomic uint32_t *slot =
		    ps_row_table_slot(&table, hash_of(row), i);
		uint32_t known =
		    atomic_load_explicit(slot, memory_order_acquire);

		if (known == 0 || known == row + 1)
			return slot;
	}
	return NULL;
}

static void
set_up(void)
{
	slots = calloc(PS_ROW_INDEX_SLOTS(BITS), sizeof(uint32_t));
	ck_assert_ptr_nonnull(slots);
	ps_row_index_init(&rows, slots, BITS);
	ps_poke(&entered, 0);
}

static void
tear_down(void)
{
	free((void *)slots);
}

static void
enter(uint32_t row)
{
	_Atomic uint32_t *slot;

	ps_row_index_make_room(&rows, hash_of);
	slot = find(row);
	ck_assert_ptr_nonnull(slot);
	ck_assert_uint_eq(ps_peek(slot), 0);
	ps_row_index_enter(&rows, slot, row);
	atomic_store_explicit(&entered, row + 1, memory_order_release);
}

START_TEST(all_that_was_entered_is_found)
{
	for (uint32_t row = 0; row < ROWS; row++) {
		enter(row);
		ck_assert_uint_eq(ps_peek(find(row)), row + 1);
		ck_assert_uint_eq(ps_peek(find(row / 2)), row / 2 + 1);
		ck_assert_uint_eq(ps_peek(find(row + 1)), 0);
	}
	for (uint32_t row = 0; row < ROWS; row++)
		ck_assert_uint_eq(ps_peek(find(row)), row + 1);
}
END_TEST

START_TEST(the_first_rows_touch_one_page)
{
	uint32_t others = 0;

	for (uint32_t row = 0; row < 512; row++)
		enter(row);
	for (size_t i = 0; i < PS_ROW_INDEX_SLOTS(BITS); i++)
		others += ps_peek(&slots[i]) != 0 && (i < 1024 || i >= 2048);
	ck_assert_uint_eq(others, 0);
	ck_assert_uint_eq(rows.used, 512);
}
END_TEST

START_TEST(it_grows_no_further_than_its_slots)
{
	for (uint32_t row = 0; row < ROWS; row++)
		enter(row);
	ck_assert_uint_eq(ps_peek(&rows.bits), BITS);
	for (uint32_t row = ROWS; row < ROWS + ROWS / 4; row++)
		enter(row);
	ck_assert_uint_eq(ps_peek(&rows.bits), BITS);
	ck_assert_uint_eq(rows.used, ROWS + ROWS / 4);
}
END_TEST

/* A reader may be a table behind: then it finds what was there, or nothing. */
static void *
look(void *unused)
{
	uint32_t n;

	do {
		n = atomic_load_explicit(&entered, memory_order_acquire);
		for (uint32_t row = 0; row < n; row += 1 + n / 64) {
			_Atomic uint32_t *slot = find(row);

			if (slot == NULL || ps_peek(slot) != row + 1)
				return "a row that was entered is not found";
		}
	} while (n < ROWS);
	return unused;
}

START_TEST(readers_need_no_lock)
{
	pthread_t reader[3];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&reader[i], NULL, look, NULL),
				 0);
	for (uint32_t row = 0; row < ROWS; row++)
		enter(row);
	for (int i = 0; i < 3; i++) {
		void *wrong;

		ck_assert_int_eq(pthread_join(reader[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

Suite *
row_index_suite(void)
{
	Suite *s = suite_create("row_index");
	TCase *t = tcase_create("row_index");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, all_that_was_entered_is_found);
	tcase_add_test(t, the_first_rows_touch_one_page);
	tcase_add_test(t, it_grows_no_further_than_its_slots);
	tcase_add_test(t, readers_need_no_lock);
	suite_add_tcase(s, t);
	return s;
}
