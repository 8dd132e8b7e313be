/* SPDX-License-Identifier: MIT */
/*
 * test_timeline - steps of the heap's level, against a plain model
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "profile/timeline.h"
#include "record/writer.h"

enum { START = 1000, STEP = 10 };

static const struct ps_record_timeline *line;

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_record->clock.start_ticks = START;
	line = &ps_record->timeline;
	ps_timeline_init(STEP);
}

static uint64_t
level(uint32_t slot)
{
	ck_assert_uint_lt(slot, ps_peek(&line->count));
	return ps_peek(&line->tick[slot].live_bytes);
}

static void
note(uint64_t since, uint64_t live)
{
	ps_timeline_note(START + since, live);
}

/* What holds after every note. */
static void
check_line(void)
{
	uint64_t step = ps_peek(&line->step_ticks);
	uint32_t count = ps_peek(&line->count);

	ck_assert_uint_le(count, PS_TIMELINE_SLOTS);
	ck_assert_uint_eq(step % STEP, 0);
	ck_assert_uint_eq(step / STEP & (step / STEP - 1), 0);
	/* An assertion each, which tells the runner, would be slow. */
	for (uint32_t i = 0; i < count; i++)
		if (ps_peek(&line->tick[i].ticks) != START + i * step)
			ck_abort_msg("slot %u is at another time", i);
}

START_TEST(a_slot_keeps_its_highest_level)
{
	note(0, 5);
	note(3, 50);
	note(9, 7);
	ck_assert_uint_eq(ps_peek(&line->count), 1);
	ck_assert_uint_eq(level(0), 50);
	note(10, 7); /* the next slot does not inherit what it was told */
	ck_assert_uint_eq(ps_peek(&line->count), 2);
	ck_assert_uint_eq(level(1), 7);
	check_line();
}
END_TEST

START_TEST(slots_without_a_note_take_the_level_before)
{
	note(5, 33);
	note(55, 1);
	ck_assert_uint_eq(ps_peek(&line->count), 6);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_uint_eq(level(i), 33);
	ck_assert_uint_eq(level(5), 1);
	check_line();
}
END_TEST

START_TEST(a_late_first_note_leaves_zeros_before)
{
	note(35, 9);
	ck_assert_uint_eq(level(0) + level(1) + level(2), 0);
	ck_assert_uint_eq(level(3), 9);
}
END_TEST

START_TEST(a_note_out_of_order_goes_where_it_belongs)
{
	note(5, 1);
	note(25, 1);
	note(15, 40);
	ck_assert_uint_eq(ps_peek(&line->count), 3);
	ck_assert_uint_eq(level(1), 40);
	ck_assert_uint_eq(level(2), 1);
	ps_timeline_note(START - 1, 99); /* before the start: none */
	ck_assert_uint_eq(level(0), 1);
}
END_TEST

START_TEST(the_last_slot_fills_before_steps_double)
{
	note(PS_TIMELINE_SLOTS * STEP - 1, 1);
	ck_assert_uint_eq(ps_peek(&line->count), PS_TIMELINE_SLOTS);
	ck_assert_uint_eq(ps_peek(&line->step_ticks), STEP);
	note(PS_TIMELINE_SLOTS * STEP, 2);
	ck_assert_uint_eq(ps_peek(&line->count), PS_TIMELINE_SLOTS / 2 + 1);
	ck_assert_uint_eq(ps_peek(&line->step_ticks), 2 * STEP);
	check_line();
}
END_TEST

START_TEST(a_jump_of_a_year_ends)
{
	uint64_t year = UINT64_C(3000000000) * 86400 * 365;

	note(5, 77);
	note(year, 3);
	check_line();
	ck_assert_uint_eq(level(0), 77);
	ck_assert_uint_gt(ps_peek(&line->count), PS_TIMELINE_SLOTS / 2);
	ck_assert_uint_eq(level(ps_peek(&line->count) - 1), 3);
	note(UINT64_MAX - START, 4); /* and one to the end of time */
	check_line();
	ck_assert_uint_eq(level(ps_peek(&line->count) - 1), 4);
}
END_TEST

/* Every note since the start, the slow way. */
START_TEST(any_run_is_as_in_the_model)
{
	enum { NOTES = 3000 };
	static uint64_t when[NOTES], live[NOTES];
	uint64_t now = 0;

	srand((unsigned)_i);
	for (int n = 0; n < NOTES; n++) {
		now += (uint64_t)(rand() % (1 << rand() % 8));
		when[n] = now;
		live[n] = (uint64_t)rand() % 1000;
		note(now, live[n]);
		check_line();
	}
	for (uint32_t i = 0, n = 0; i < ps_peek(&line->count); i++) {
		uint64_t end = (i + 1) * ps_peek(&line->step_ticks);
		uint64_t highest = 0;

		for (; n < NOTES && when[n] < end; n++)
			highest = PS_MAX(highest, live[n]);
		/* parts without a note have what the slot before had */
		ck_assert_uint_ge(level(i), highest);
		ck_assert_uint_le(level(i),
				  PS_MAX(highest, i == 0 ? 0 : level(i - 1)));
	}
}
END_TEST

START_TEST(before_its_start_nothing_is_noted)
{
	ps_poke(&ps_record->timeline.step_ticks, 0);
	note(5, 5);
	ck_assert_uint_eq(ps_peek(&line->count), 0);
}
END_TEST

static _Atomic uint64_t shared_clock;

static void *
note_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50000; i++) {
		uint64_t now = atomic_fetch_add(&shared_clock, 1);

		note(now, now + 1);
	}
	return NULL;
}

/* The level grows with time: no slot may have one from a later slot. */
START_TEST(threads_leave_a_whole_timeline)
{
	pthread_t threads[4];

	for (int round = 0; round < 30; round++) {
		ps_timeline_init(STEP);
		shared_clock = 0;
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(
			    pthread_create(&threads[i], NULL, note_many, NULL),
			    0);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		check_line();
		for (uint32_t i = 0; i < ps_peek(&line->count); i++)
			ck_assert_uint_le(level(i),
					  (i + 1) * ps_peek(&line->step_ticks));
	}
}
END_TEST

Suite *
timeline_suite(void)
{
	Suite *s = suite_create("timeline");
	TCase *t = tcase_create("timeline");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_slot_keeps_its_highest_level);
	tcase_add_test(t, slots_without_a_note_take_the_level_before);
	tcase_add_test(t, a_late_first_note_leaves_zeros_before);
	tcase_add_test(t, a_note_out_of_order_goes_where_it_belongs);
	tcase_add_test(t, the_last_slot_fills_before_steps_double);
	tcase_add_test(t, a_jump_of_a_year_ends);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, any_run_is_as_in_the_model, 1, 6);
	tcase_add_test(t, before_its_start_nothing_is_noted);
	tcase_add_test(t, threads_leave_a_whole_timeline);
	suite_add_tcase(s, t);
	return s;
}
