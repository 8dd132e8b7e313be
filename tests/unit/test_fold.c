/* SPDX-License-Identifier: MIT */
/*
 * test_fold - at each step of a fold, a reader's sum over rows is the same
 */
#include <check.h>

#include "record/fold.h"
#include "record/reader.h"
#include "record/writer.h"

enum { ENDED = 5, OTHER = 7, LIVE = 11 };

static struct ps_record_section_stats *row[3];
static struct ps_reader reader;

static void
open_with_rows(void)
{
	static const uint64_t calls[] = {ENDED, OTHER, LIVE};
	void *memory;

	ck_assert_int_eq(ps_record_open(), 0);
	ps_record_lock();
	for (unsigned i = 0; i < PS_COUNT(row); i++) {
		ck_assert_uint_ne(
		    ps_record_append(PS_TABLE_SECTION_STATS, 1, &memory),
		    UINT32_MAX);
		row[i] = memory;
		ps_poke(&row[i]->calls, calls[i]);
		ps_poke(&row[i]->self_ticks, 10 * calls[i]);
		ps_record_publish(PS_TABLE_SECTION_STATS);
	}
}

/* As the process itself sees it. */
static void
own_total_is_unchanged(void)
{
	uint32_t rows =
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count);
	uint64_t calls = 0;

	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_section_stats *s =
		    ps_fold_entry(ps_record, PS_TABLE_SECTION_STATS, i);

		calls += s == NULL ? 0 : ps_peek(&s->calls);
	}
	ck_assert_uint_eq(calls, ENDED + OTHER + LIVE);
}

/* As someone sees it who opens the file now. */
static void
total_is_unchanged(void)
{
	uint64_t calls = 0;
	uint64_t ticks = 0;

	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL),
	    0);
	for (uint32_t i = 0; i < reader.count[PS_TABLE_SECTION_STATS]; i++) {
		const struct ps_record_section_stats *s =
		    ps_reader_row(&reader, PS_TABLE_SECTION_STATS, i);

		if (s == NULL)
			continue;
		calls += ps_peek(&s->calls);
		ticks += ps_peek(&s->self_ticks);
	}
	ck_assert_uint_eq(calls, ENDED + OTHER + LIVE);
	ck_assert_uint_eq(ticks, 10 * (ENDED + OTHER + LIVE));
	own_total_is_unchanged();
}

START_TEST(a_sum_is_the_same_at_each_step)
{
	open_with_rows();
	total_is_unchanged();
	for (int round = 0; round < 2; round++) {
		uint64_t before = ps_reader_folds(&reader);

		ps_record_fold_begin(PS_TABLE_SECTION_STATS, row[0], row[1]);
		total_is_unchanged();
		ps_bump(&row[0]->calls, ps_peek(&row[1]->calls));
		total_is_unchanged();
		ps_bump(&row[0]->self_ticks, ps_peek(&row[1]->self_ticks));
		total_is_unchanged();
		ps_record_fold_clear();
		total_is_unchanged();
		ps_poke(&row[1]->calls, 0);
		total_is_unchanged();
		ps_poke(&row[1]->self_ticks, 0);
		ps_record_fold_end();
		total_is_unchanged();
		ck_assert_uint_ne(ps_reader_folds(&reader), before);
	}
	/* One spare row for both. */
	ck_assert_uint_eq(reader.count[PS_TABLE_SECTION_STATS], 4);
	ck_assert_uint_eq(ps_peek(&row[0]->calls), ENDED + OTHER);
	ps_record_unlock();
}
END_TEST

START_TEST(other_tables_are_not_concerned)
{
	uint32_t last;

	open_with_rows();
	ps_record_fold_begin(PS_TABLE_SECTION_STATS, row[0], row[1]);
	ps_record_fold_clear();
	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL),
	    0);
	ck_assert_ptr_eq(ps_reader_row(&reader, PS_TABLE_THREADS, 0),
			 ps_reader_entry(&reader, PS_TABLE_THREADS, 0));
	ck_assert_ptr_null(ps_reader_row(&reader, PS_TABLE_SECTION_STATS, 1));
	ps_record_fold_end();
	last = reader.count[PS_TABLE_SECTION_STATS];
	ck_assert_ptr_null(
	    ps_reader_row(&reader, PS_TABLE_SECTION_STATS, last));
	ps_record_unlock();
}
END_TEST

START_TEST(a_full_table_has_no_spare_and_folds_all_the_same)
{
	uint32_t left;
	void *memory;

	open_with_rows();
	left = ps_record->table[PS_TABLE_SECTION_STATS].capacity - 3;
	ps_record_append(PS_TABLE_SECTION_STATS, left, &memory);
	ps_record_publish(PS_TABLE_SECTION_STATS);
	ps_record_fold_begin(PS_TABLE_SECTION_STATS, row[0], row[1]);
	ck_assert_uint_eq(ps_peek(&ps_record->fold.stage), PS_FOLD_NONE);
	ps_record_fold_clear();
	ps_record_fold_end();
	total_is_unchanged();
	ck_assert_uint_eq(
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].dropped), 0);
	ps_record_unlock();
}
END_TEST

Suite *
fold_suite(void)
{
	Suite *s = suite_create("fold");
	TCase *fold = tcase_create("fold");

	tcase_add_test(fold, a_sum_is_the_same_at_each_step);
	tcase_add_test(fold, other_tables_are_not_concerned);
	tcase_add_test(fold, a_full_table_has_no_spare_and_folds_all_the_same);
	suite_add_tcase(s, fold);
	return s;
}
