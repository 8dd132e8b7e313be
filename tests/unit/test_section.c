/* SPDX-License-Identifier: MIT */
/*
 * test_section - nesting, times and ends that do not match, one thread
 *
 * The clock is the test's: every figure is exact.  Stack pointers and scopes
 * are plain numbers; the module only compares them.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "profile/section.h"
#include "record/writer.h"

enum { SP = 1 << 24 }; /* of a caller without scopes */

static struct ps_record_thread thread_row;
static struct ps_section_thread *me;
static uint32_t a, b, c;

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_section_init(true, "");
	me = ps_section_thread_open(1, &thread_row);
	ck_assert_ptr_nonnull(me);
	a = ps_section_intern("a", "x.c", 1);
	b = ps_section_intern("b", "x.c", 2);
	c = ps_section_intern("c", NULL, 0);
}

static void
begin_scoped(uint32_t section, uintptr_t scope, uintptr_t sp, ps_ticks now)
{
	ps_section_begin(me, section, scope, sp);
	(void)ps_section_started(me, now);
}

static void
begin(uint32_t section, ps_ticks now)
{
	begin_scoped(section, 0, SP, now);
}

static void
end(uint32_t section, ps_ticks now)
{
	ps_section_end(me, section, SP, now);
}

/* The only row of the section; NULL when there is none. */
static const struct ps_record_section_stats *
row_of(uint32_t section)
{
	uint32_t count =
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count);
	const struct ps_record_section_stats *found = NULL;

	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_section_stats *s =
		    ps_record_entry(PS_TABLE_SECTION_STATS, i);

		if (s->section != section)
			continue;
		ck_assert_ptr_null(found);
		found = s;
	}
	return found;
}

static void
assert_times(uint32_t section, uint64_t calls, uint64_t total, uint64_t self)
{
	const struct ps_record_section_stats *s = row_of(section);

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(ps_peek(&s->thread), 1);
	ck_assert_uint_eq(ps_peek(&s->calls), calls);
	ck_assert_uint_eq(ps_peek(&s->total_ticks), total);
	ck_assert_uint_eq(ps_peek(&s->self_ticks), self);
	ck_assert_uint_eq(ps_hist_count(s->histogram, ps_peek(&s->over)),
			  calls);
}

static uint64_t
unbalanced(void)
{
	return ps_peek(&ps_record->overhead.unbalanced);
}

/* ---- time --------------------------------------------------------------- */

START_TEST(nested_times_are_exact)
{
	const struct ps_record_section_stats *s;

	begin(a, 1000);
	begin(b, 1010);
	end(b, 1030);
	begin(b, 1040);
	begin(c, 1050);
	ck_assert_uint_eq(ps_section_depth(me), 3);
	end(c, 1060);
	end(b, 1070);
	end(a, 1100);
	assert_times(a, 1, 100, 50);
	assert_times(b, 2, 50, 40);
	assert_times(c, 1, 10, 10);
	ck_assert_uint_eq(ps_peek(&row_of(a)->child_calls), 2);
	ck_assert_uint_eq(ps_peek(&row_of(b)->child_calls), 1);
	ck_assert_uint_eq(ps_peek(&row_of(c)->child_calls), 0);
	s = row_of(b);
	ck_assert_uint_eq(ps_peek(&s->min_ticks), 20);
	ck_assert_uint_eq(ps_peek(&s->max_ticks), 30);
	ck_assert_double_eq(ps_peek(&s->squares), 20. * 20 + 30. * 30);
	ck_assert_uint_eq(ps_peek(&s->histogram[20]), 1);
	ck_assert_uint_eq(ps_peek(&s->histogram[30]), 1);
	ck_assert_uint_eq(unbalanced(), 0);
}
END_TEST

START_TEST(the_innermost_open_section_is_known)
{
	ck_assert_uint_eq(ps_section_innermost(NULL), UINT32_MAX);
	ck_assert_uint_eq(ps_section_innermost(me), UINT32_MAX);
	begin(a, 0);
	begin(b, 10);
	ck_assert_uint_eq(ps_section_innermost(me), b);
	end(b, 20);
	ck_assert_uint_eq(ps_section_innermost(me), a);
	end(a, 30);
	ck_assert_uint_eq(ps_section_innermost(me), UINT32_MAX);
}
END_TEST

START_TEST(of_a_recursion_the_outermost_adds_to_the_total)
{
	begin(a, 0);
	begin(a, 10);
	begin(b, 15); /* indirect, too */
	begin(a, 20);
	end(a, 30);
	end(b, 35);
	end(a, 60);
	end(a, 100);
	begin(a, 200);
	end(a, 201);
	assert_times(a, 4, 101, 50 + 30 + 10 + 1);
	assert_times(b, 1, 20, 10);
	ck_assert_uint_eq(ps_peek(&row_of(a)->recursive_calls), 2);
	ck_assert_uint_eq(ps_peek(&row_of(a)->max_ticks), 100);
	ck_assert_uint_eq(ps_peek(&row_of(a)->min_ticks), 1);
}
END_TEST

static void
allocate(uint64_t bytes)
{
	ps_bump(&thread_row.allocations, 1);
	ps_bump(&thread_row.issued_bytes, 100);
	ps_bump(&thread_row.bytes_left, 100 - bytes);
}

START_TEST(allocations_go_to_every_section_around_them_once)
{
	allocate(7);
	begin(a, 0);
	allocate(10);
	begin(a, 0);
	begin(b, 0);
	allocate(20);
	end(b, 0);
	end(a, 0);
	end(a, 0);
	allocate(7);
	ck_assert_uint_eq(ps_peek(&row_of(a)->allocations), 2);
	ck_assert_uint_eq(ps_peek(&row_of(a)->bytes), 30);
	ck_assert_uint_eq(ps_peek(&row_of(b)->allocations), 1);
	ck_assert_uint_eq(ps_peek(&row_of(b)->bytes), 20);
}
END_TEST

/* Balanced marks at random: the parts add up to the whole. */
START_TEST(self_times_add_up_to_the_outermost_intervals)
{
	uint32_t section[8];
	uint32_t open[20];
	uint32_t depth = 0;
	uint64_t root = 0, self = 0, now = 0, begun = 0;
	char name[] = "s0";

	srand(7);
	for (int i = 0; i < 8; i++, name[1]++)
		section[i] = ps_section_intern(name, NULL, 0);
	for (int i = 0; i < 50000 || depth > 0; i++) {
		now += (uint64_t)(rand() % 1000);
		if (depth < 20 && i < 50000 && rand() % 2 == 0) {
			begun = depth == 0 ? now : begun;
			open[depth] = section[rand() % 8];
			begin(open[depth++], now);
		} else if (depth > 0) {
			end(open[--depth], now);
			root += depth == 0 ? now - begun : 0;
		}
	}
	for (int i = 0; i < 8; i++) {
		const struct ps_record_section_stats *s = row_of(section[i]);

		self += ps_peek(&s->self_ticks);
		ck_assert_uint_le(ps_peek(&s->total_ticks), root);
		ck_assert_uint_ge(ps_peek(&s->total_ticks),
				  ps_peek(&s->self_ticks));
	}
	ck_assert_uint_eq(self, root);
	ck_assert_uint_eq(unbalanced(), 0);
}
END_TEST

START_TEST(a_clock_that_goes_back_is_clamped_and_counted)
{
	begin(a, 100);
	begin(b, 200);
	end(b, 190);
	end(a, 250);
	assert_times(b, 1, 0, 0);
	assert_times(a, 1, 150, 150);
	ck_assert_uint_eq(ps_peek(&ps_record->clock.backwards), 1);
}
END_TEST

START_TEST(intervals_beyond_the_histogram_are_counted)
{
	uint64_t edge = UINT64_C(1) << PS_HIST_MAX_BITS;
	uint64_t value = 0;

	begin(a, 0);
	end(a, edge - 1);
	begin(a, 0);
	end(a, edge);
	assert_times(a, 2, 2 * edge - 1, 2 * edge - 1);
	ck_assert_uint_eq(ps_peek(&row_of(a)->over), 1);
	ck_assert_int_eq(ps_hist_quantile(row_of(a)->histogram, 1,
					  ps_peek(&row_of(a)->max_ticks), 1,
					  &value),
			 0);
	ck_assert_uint_eq(value, edge);
}
END_TEST

/* ---- ends that do not match --------------------------------------------- */

START_TEST(an_end_further_out_closes_what_is_inside)
{
	begin(a, 0);
	begin(b, 10);
	begin(c, 20);
	end(a, 50);
	ck_assert_uint_eq(ps_section_depth(me), 0);
	ck_assert_uint_eq(unbalanced(), 2);
	assert_times(a, 1, 50, 10);
	assert_times(b, 1, 40, 10);
	assert_times(c, 1, 30, 30);
	begin(b, 100); /* not taken for a recursion */
	end(b, 101);
	ck_assert_uint_eq(ps_peek(&row_of(b)->recursive_calls), 0);
	assert_times(b, 2, 41, 11);
}
END_TEST

START_TEST(an_end_without_a_begin_is_ignored)
{
	end(a, 5); /* nothing is open */
	ck_assert_uint_eq(unbalanced(), 1);
	begin(a, 10);
	end(b, 20);
	end(UINT32_MAX, 20); /* a name that nobody knows */
	ck_assert_uint_eq(unbalanced(), 3);
	ck_assert_uint_eq(ps_section_depth(me), 1);
	end(a, 30);
	end(a, 40);
	ck_assert_uint_eq(unbalanced(), 4);
	assert_times(a, 1, 20, 20);
	ck_assert_ptr_null(row_of(b));
}
END_TEST

START_TEST(crossed_ends_count_twice)
{
	begin(a, 0);
	begin(b, 10);
	end(a, 20);
	end(b, 30);
	ck_assert_uint_eq(unbalanced(), 2);
	assert_times(a, 1, 20, 10);
	assert_times(b, 1, 10, 10);
}
END_TEST

START_TEST(regions_open_at_the_thread_s_end_are_unbalanced)
{
	begin(a, 0);
	begin(b, 1);
	ps_section_thread_close(me);
	ck_assert_uint_eq(unbalanced(), 2);
}
END_TEST

/* ---- frames that are gone ----------------------------------------------- */

START_TEST(a_begin_closes_the_regions_of_frames_left_by_longjmp)
{
	begin_scoped(a, 0x90000, 0x8fff0, 0);
	begin_scoped(b, 0x80000, 0x7fff0, 10);
	begin_scoped(c, 0x70000, 0x6fff0, 20);
	begin_scoped(c, 0x8ff00, 0x8fef0, 100); /* back in a's frame */
	ck_assert_uint_eq(ps_section_depth(me), 2);
	ck_assert_uint_eq(unbalanced(), 2);
	ps_section_end(me, c, 0x8fef0, 130);
	ps_section_end(me, a, 0x8fff0, 200);
	ck_assert_uint_eq(ps_peek(&row_of(c)->calls), 2);
	ck_assert_uint_eq(ps_peek(&row_of(c)->total_ticks), 30);
	ck_assert_uint_eq(ps_peek(&row_of(c)->recursive_calls), 0);
	ck_assert_uint_eq(ps_peek(&row_of(a)->total_ticks), 200);
	ck_assert_uint_eq(unbalanced(), 2);
}
END_TEST

START_TEST(an_end_closes_the_regions_of_frames_left_by_longjmp)
{
	begin_scoped(a, 0x90000, 0x8fff0, 0);
	begin_scoped(b, 0x80000, 0x7fff0, 10);
	begin_scoped(a, 0x70000, 0x6fff0, 20);
	ps_section_end(me, a, 0x8fff0, 50); /* the outer one's */
	ck_assert_uint_eq(ps_section_depth(me), 0);
	ck_assert_uint_eq(unbalanced(), 2);
	assert_times(a, 2, 50, 10 + 30);
	assert_times(b, 1, 40, 10);
}
END_TEST

static const struct {
	uintptr_t scope, sp;
	bool is_stale;
} frame_case[] = {
    {0x800000, 0x7fffff, false}, /* a live frame: above the pointer */
    {0x800000, 0x800000, false},
    {0x800000, 0x800008, true},
    {0x800000, 0x8fffff, true},
    {0x800000, 0x900000, false}, /* 1 MiB away: another stack */
    {0, 0x1000, false},		 /* bound to no frame */
};

START_TEST(only_frames_below_and_near_are_gone)
{
	bool is_stale = frame_case[_i].is_stale;

	begin_scoped(a, frame_case[_i].scope, 0x7ffff0, 0);
	begin_scoped(b, 0, frame_case[_i].sp, 10);
	ck_assert_uint_eq(ps_section_depth(me), is_stale ? 1 : 2);
	ck_assert_uint_eq(unbalanced(), is_stale);
}
END_TEST

/* ---- too deep ----------------------------------------------------------- */

static uint32_t
drops(void)
{
	return ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].dropped);
}

START_TEST(regions_too_deep_are_counted_and_not_timed)
{
	uint32_t sections[] = {a, b};
	uint64_t now = 0;

	for (int i = 0; i < PS_SECTION_DEPTH + 10; i++)
		begin(sections[i % 2], now++);
	begin(c, now);
	ck_assert_uint_eq(ps_section_depth(me), PS_SECTION_DEPTH);
	ck_assert_uint_eq(drops(), 11);
	end(c, now + 1000);
	for (int i = PS_SECTION_DEPTH + 10; i-- > 0;)
		end(sections[i % 2], now++);
	ck_assert_uint_eq(ps_section_depth(me), 0);
	ck_assert_uint_eq(unbalanced(), 0);
	ck_assert_ptr_null(row_of(c));
	/* outermost a: from 0 to the last tick; b: one inside on both sides */
	assert_times(a, PS_SECTION_DEPTH / 2, now - 1,
		     ps_peek(&row_of(a)->self_ticks));
	assert_times(b, PS_SECTION_DEPTH / 2, now - 3,
		     ps_peek(&row_of(b)->self_ticks));
	ck_assert_uint_eq(ps_peek(&row_of(a)->self_ticks) +
			      ps_peek(&row_of(b)->self_ticks),
			  now - 1);
}
END_TEST

/* Scoped recursion to the limit and beyond, left all at once. */
static void
fall_into_the_deep(void)
{
	uintptr_t sp = 0x900000;

	begin_scoped(a, 0x900000, sp, 0);
	for (int i = 0; i < PS_SECTION_DEPTH + 4; i++, sp -= 0x100)
		begin_scoped(b, sp - 0x10, sp - 0x20, 10);
}

START_TEST(a_longjmp_out_of_the_deep_forgets_it_too)
{
	fall_into_the_deep();
	if (_i == 0) {
		begin_scoped(c, 0, 0x8ffff8, 100);
		ck_assert_uint_eq(ps_section_depth(me), 2);
		ps_section_end(me, c, 0x8ffff8, 130);
		assert_times(c, 1, 30, 30);
	}
	ps_section_end(me, a, 0x8ffff8, 200);
	ck_assert_uint_eq(ps_section_depth(me), 0);
	ck_assert_uint_eq(ps_peek(&row_of(a)->calls), 1);
	ck_assert_uint_eq(ps_peek(&row_of(a)->total_ticks), 200);
	ck_assert_uint_eq(unbalanced(), PS_SECTION_DEPTH - 1);
}
END_TEST

Suite *
section_suite(void)
{
	Suite *s = suite_create("section");
	TCase *time = tcase_create("time");
	TCase *ends = tcase_create("ends");

	tcase_add_checked_fixture(time, setup, NULL);
	tcase_add_test(time, nested_times_are_exact);
	tcase_add_test(time, the_innermost_open_section_is_known);
	tcase_add_test(time, of_a_recursion_the_outermost_adds_to_the_total);
	tcase_add_test(time, allocations_go_to_every_section_around_them_once);
	tcase_add_test(time, self_times_add_up_to_the_outermost_intervals);
	tcase_add_test(time, a_clock_that_goes_back_is_clamped_and_counted);
	tcase_add_test(time, intervals_beyond_the_histogram_are_counted);
	suite_add_tcase(s, time);

	tcase_add_checked_fixture(ends, setup, NULL);
	tcase_add_test(ends, an_end_further_out_closes_what_is_inside);
	tcase_add_test(ends, an_end_without_a_begin_is_ignored);
	tcase_add_test(ends, crossed_ends_count_twice);
	tcase_add_test(ends, regions_open_at_the_thread_s_end_are_unbalanced);
	tcase_add_test(ends,
		       a_begin_closes_the_regions_of_frames_left_by_longjmp);
	tcase_add_test(ends,
		       an_end_closes_the_regions_of_frames_left_by_longjmp);
	tcase_add_loop_test(ends, only_frames_below_and_near_are_gone, 0,
			    (int)PS_COUNT(frame_case));
	tcase_add_test(ends, regions_too_deep_are_counted_and_not_timed);
	tcase_add_loop_test(ends, a_longjmp_out_of_the_deep_forgets_it_too, 0,
			    2);
	suite_add_tcase(s, ends);
	return s;
}
