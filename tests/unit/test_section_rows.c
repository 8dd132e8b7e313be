/* SPDX-License-Identifier: MIT */
/*
 * test_section_rows - sections of many threads: rows, a full table, fork
 *
 * Threads report what went wrong as a string; only the main thread asserts.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "profile/section.h"
#include "record/writer.h"

enum { THREADS = 8, SP = 1 << 24 };

static struct ps_record_thread thread_row[THREADS + 1];

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_section_init(true, "");
}

static void
begin(struct ps_section_thread *t, uint32_t section, ps_ticks now)
{
	ps_section_begin(t, section, 0, SP);
	(void)ps_section_started(t, now);
}

static void
interval(struct ps_section_thread *t, uint32_t section, ps_ticks ticks)
{
	begin(t, section, 0);
	ps_section_end(t, section, SP, ticks);
}

static uint32_t
table_count(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].count);
}

static uint32_t
drops(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].dropped);
}

/* It is of no thread (record/fold.h). */
static bool
is_spare(enum ps_table_id id, uint32_t row)
{
	return ps_peek(&ps_record->fold.spare[id]) == row + 1;
}

/* The section's only row of that thread; NULL when there is none. */
static const struct ps_record_section_stats *
row_of(uint32_t section, uint32_t thread)
{
	const struct ps_record_section_stats *found = NULL;

	for (uint32_t i = 0; i < table_count(PS_TABLE_SECTION_STATS); i++) {
		const struct ps_record_section_stats *s =
		    ps_record_entry(PS_TABLE_SECTION_STATS, i);

		if (is_spare(PS_TABLE_SECTION_STATS, i) ||
		    s->section != section || ps_peek(&s->thread) != thread)
			continue;
		ck_assert_ptr_null(found);
		found = s;
	}
	return found;
}

static void
run_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	void *problem;

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, body, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &problem);
		if (problem != NULL)
			ck_abort_msg("%s", (const char *)problem);
	}
}

/* ---- rows --------------------------------------------------------------- */

START_TEST(a_span_is_outside_the_nesting)
{
	struct ps_section_thread *t = ps_section_thread_open(1, thread_row);
	uint32_t a = ps_section_intern("a", NULL, 0);
	uint32_t b = ps_section_intern("b", NULL, 0);

	begin(t, a, 0);
	ps_section_span(t, b, 0, 40);
	ps_section_span(t, a, 0, 3);
	ps_section_end(t, a, SP, 10);
	ck_assert_uint_eq(ps_peek(&row_of(b, 1)->total_ticks), 40);
	ck_assert_uint_eq(ps_peek(&row_of(b, 1)->self_ticks), 40);
	ck_assert_uint_eq(ps_peek(&row_of(a, 1)->calls), 2);
	ck_assert_uint_eq(ps_peek(&row_of(a, 1)->total_ticks), 13);
	ck_assert_uint_eq(ps_peek(&row_of(a, 1)->self_ticks), 13);
	ck_assert_uint_eq(ps_peek(&row_of(a, 1)->child_calls), 0);
}
END_TEST

enum { ROUNDS = 1000, SECTIONS = 5 };

/*
 * The threads end at the same time, several times over: section k of thread i
 * gets the intervals (7919 n) % ROUNDS + 1, all of 1 to ROUNDS, around one
 * recursive call.
 */
static void *
work(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char name[] = "section 0";

	for (int life = 0; life < 20; life++) {
		struct ps_section_thread *t = ps_section_thread_open(
		    (uint32_t)me + 1, &thread_row[me + 1]);

		if (t == NULL)
			return "no memory";
		for (uint64_t n = 0; n < ROUNDS; n++) {
			uint64_t ticks = n * 7919 % ROUNDS + 1;
			uint32_t s;

			name[8] = (char)('0' + n % SECTIONS);
			s = ps_section_intern(name, NULL, 0);
			if (s == UINT32_MAX)
				return "no section";
			begin(t, s, 100);
			begin(t, s, 100);
			ps_section_end(t, s, SP, 100);
			ps_section_end(t, s, SP, 100 + ticks);
		}
		ps_section_thread_close(t);
	}
	return NULL;
}

/* The same into one thread's rows, which are not merged. */
static void
work_at_once(void)
{
	struct ps_section_thread *t =
	    ps_section_thread_open(77, &thread_row[0]);

	for (int life = 0; life < 20 * THREADS; life++)
		for (uint64_t n = 0; n < ROUNDS; n++) {
			uint32_t s = (uint32_t)(n % SECTIONS);
			char name[] = "section 0";

			name[8] += (char)s;
			s = ps_section_find(name);
			begin(t, s, 100);
			begin(t, s, 100);
			ps_section_end(t, s, SP, 100);
			ps_section_end(t, s, SP, 100 + n * 7919 % ROUNDS + 1);
		}
}

START_TEST(ended_threads_rows_are_as_if_one_thread_had_done_it_all)
{
	run_threads(work);
	ck_assert_uint_eq(ps_section_find("section 5"), UINT32_MAX);
	/* one for each living thread and one for the ended, at most; and the
	 * spare one */
	ck_assert_uint_le(table_count(PS_TABLE_SECTION_STATS),
			  (THREADS + 1) * SECTIONS + 1);
	work_at_once();
	for (uint32_t i = 0; i < SECTIONS; i++) {
		const struct ps_record_section_stats *all = row_of(i, 77);
		const struct ps_record_section_stats *s = row_of(i, 0);

		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(s->calls, all->calls);
		ck_assert_uint_eq(s->total_ticks, all->total_ticks);
		ck_assert_uint_eq(s->self_ticks, all->self_ticks);
		ck_assert_uint_eq(s->child_calls, all->child_calls);
		ck_assert_uint_eq(s->recursive_calls, all->recursive_calls);
		ck_assert_double_eq(s->squares, all->squares);
		ck_assert_uint_eq(s->min_ticks, all->min_ticks);
		ck_assert_uint_eq(s->max_ticks, all->max_ticks);
		ck_assert_uint_eq(s->ended_threads, 20 * THREADS);
		ck_assert_mem_eq((const void *)s->histogram,
				 (const void *)all->histogram,
				 sizeof(s->histogram));
	}
}
END_TEST

enum { LIVES = 30, MANY = 64 };

static pthread_barrier_t together;

/* The threads merge the same rows in the same order at the same time. */
static void *
live_shortly(void *arg)
{
	uint32_t row = (uint32_t)(uintptr_t)arg + 1;

	for (int i = 0; i < LIVES; i++) {
		struct ps_section_thread *t =
		    ps_section_thread_open(row, &thread_row[row]);

		if (t == NULL)
			return "no memory";
		for (uint32_t section = 0; section < MANY; section++)
			interval(t, section, 7);
		pthread_barrier_wait(&together);
		ps_section_thread_close(t);
	}
	return NULL;
}

START_TEST(threads_that_end_at_once_lose_no_call)
{
	char name[16];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_assert_uint_eq(ps_section_intern(name, NULL, 0), i);
	}
	pthread_barrier_init(&together, NULL, THREADS);
	run_threads(live_shortly);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct ps_record_section_stats *s = row_of(i, 0);

		ck_assert_uint_eq(ps_peek(&s->calls), THREADS * LIVES);
		ck_assert_uint_eq(ps_peek(&s->total_ticks),
				  THREADS * LIVES * 7);
		ck_assert_uint_eq(ps_peek(&s->ended_threads), THREADS * LIVES);
		ck_assert_uint_eq(ps_peek(&s->histogram[7]), THREADS * LIVES);
	}
}
END_TEST

START_TEST(quantiles_of_merged_rows_are_within_their_bound)
{
	static const double q[] = {0.01, 0.5, 0.9, 0.99, 1};
	uint32_t a = ps_section_intern("a", NULL, 0);
	const struct ps_record_section_stats *s;

	for (uint64_t k = 0; k < 4; k++) { /* 1 to 10000, shuffled and dealt */
		struct ps_section_thread *t =
		    ps_section_thread_open(1, thread_row);

		for (uint64_t i = k; i < 10000; i += 4)
			interval(t, a, i * 7919 % 10000 + 1);
		ps_section_thread_close(t);
	}
	s = row_of(a, 0);
	ck_assert_uint_eq(ps_peek(&s->calls), 10000);
	for (size_t i = 0; i < PS_COUNT(q); i++) {
		uint64_t truth = (uint64_t)(q[i] * 10000);
		uint64_t value = 0;

		ck_assert_int_eq(ps_hist_quantile(s->histogram, 0,
						  ps_peek(&s->max_ticks), q[i],
						  &value),
				 0);
		ck_assert_uint_le(value, truth + truth / 64 + 1);
		ck_assert_uint_ge(value + truth / 64 + 1, truth);
	}
}
END_TEST

START_TEST(a_row_used_again_starts_empty)
{
	uint32_t a = ps_section_intern("a", NULL, 0);
	uint32_t b = ps_section_intern("b", NULL, 0);
	struct ps_section_thread *t;

	for (uint32_t i = 0; i < 2; i++) {
		t = ps_section_thread_open(i + 1, thread_row);
		interval(t, a, 500 + 200 * i);
		ps_section_thread_close(t);
	}
	ck_assert_uint_eq(table_count(PS_TABLE_SECTION_STATS), 2 + 1);
	t = ps_section_thread_open(3, thread_row);
	interval(t, b, 600);
	ck_assert_uint_eq(table_count(PS_TABLE_SECTION_STATS), 2 + 1);
	ck_assert_uint_eq(ps_peek(&row_of(b, 3)->calls), 1);
	ck_assert_uint_eq(ps_peek(&row_of(b, 3)->min_ticks), 600);
	ck_assert_uint_eq(
	    ps_hist_count(row_of(b, 3)->histogram, row_of(b, 3)->over), 1);
	ck_assert_uint_eq(ps_peek(&row_of(a, 0)->calls), 2);
	ck_assert_uint_eq(ps_peek(&row_of(a, 0)->min_ticks), 500);
	ck_assert_uint_eq(ps_peek(&row_of(a, 0)->max_ticks), 700);
}
END_TEST

START_TEST(without_a_row_sections_are_dropped_and_counted)
{
	uint32_t capacity = ps_record->table[PS_TABLE_SECTION_STATS].capacity;
	uint32_t threads = capacity / PS_SECTIONS_MAX + 1;
	char name[16];

	for (uint32_t k = 0; k < threads; k++) {
		struct ps_section_thread *t =
		    ps_section_thread_open(k + 1, thread_row);

		for (int i = 0; i < PS_SECTIONS_MAX; i++) {
			snprintf(name, sizeof(name), "%d", i);
			interval(t, ps_section_intern(name, NULL, 0), 1);
		}
	}
	ck_assert_uint_eq(table_count(PS_TABLE_SECTION_STATS), capacity);
	ck_assert_uint_eq(drops(PS_TABLE_SECTION_STATS),
			  threads * PS_SECTIONS_MAX - capacity);
}
END_TEST

/* ---- fork --------------------------------------------------------------- */

static const char *
recorded_name(uint32_t section)
{
	const struct ps_record_section *s =
	    ps_record_entry(PS_TABLE_SECTIONS, section);

	return ps_record_entry(PS_TABLE_STRINGS, s->name);
}

START_TEST(a_fork_child_keeps_names_and_open_regions)
{
	uint32_t a = ps_section_intern("a", "x.c", 1);
	uint32_t b = ps_section_intern("b", "x.c", 2);
	struct ps_section_thread *t = ps_section_thread_open(1, thread_row);
	struct ps_section_thread *other = ps_section_thread_open(2, thread_row);
	struct ps_record_thread *row = &thread_row[1];

	interval(other, b, 1000);
	ps_section_thread_close(other); /* its row stays with the parent */
	interval(t, b, 1000);
	ps_poke(&thread_row[0].allocations, 50);
	begin(t, a, 100);
	ps_record_postfork_child();
	ps_section_postfork_child(t, 9, row);
	ck_assert_uint_eq(table_count(PS_TABLE_SECTIONS), 2);
	ck_assert_str_eq(recorded_name(a), "a");
	ck_assert_uint_eq(ps_section_intern("b", "x.c", 2), b);
	ck_assert_uint_eq(ps_section_intern("c", "x.c", 3), 2);
	ck_assert_uint_eq(ps_section_depth(t), 1);
	ps_bump(&row->allocations, 3);
	interval(t, b, 7);
	ps_section_end(t, a, SP, 400);
	ck_assert_uint_eq(ps_peek(&row_of(a, 9)->total_ticks), 300);
	ck_assert_uint_eq(ps_peek(&row_of(a, 9)->allocations), 3);
	ck_assert_uint_eq(ps_peek(&row_of(b, 9)->calls), 1);
	ps_section_thread_close(t);
	ck_assert_uint_eq(ps_peek(&row_of(b, 0)->calls), 1);
	ck_assert_uint_eq(ps_peek(&row_of(b, 0)->max_ticks), 7);
	ck_assert_uint_eq(ps_peek(&row_of(b, 0)->ended_threads), 1);
}
END_TEST

START_TEST(a_child_of_a_thread_without_sections_knows_the_names)
{
	uint32_t a = ps_section_intern("a", NULL, 0);

	ps_record_postfork_child();
	ps_section_postfork_child(NULL, 1, thread_row);
	ck_assert_str_eq(recorded_name(a), "a");
}
END_TEST

Suite *
section_rows_suite(void)
{
	Suite *s = suite_create("section_rows");
	TCase *rows = tcase_create("rows");

	tcase_add_checked_fixture(rows, setup, NULL);
	tcase_add_test(rows, a_span_is_outside_the_nesting);
	tcase_add_test(rows,
		       ended_threads_rows_are_as_if_one_thread_had_done_it_all);
	tcase_add_test(rows, threads_that_end_at_once_lose_no_call);
	tcase_add_test(rows, quantiles_of_merged_rows_are_within_their_bound);
	tcase_add_test(rows, a_row_used_again_starts_empty);
	tcase_add_test(rows, without_a_row_sections_are_dropped_and_counted);
	tcase_add_test(rows, a_fork_child_keeps_names_and_open_regions);
	tcase_add_test(rows,
		       a_child_of_a_thread_without_sections_knows_the_names);
	suite_add_tcase(s, rows);
	return s;
}
