/* SPDX-License-Identifier: MIT */
/*
 * test_window - what came within the last while, against a plain list of calls
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/window.h"

static const uint64_t second = 1000000000;
static struct ps_calls_window window;
static struct ps_level_window levels;
static struct ps_calls sum;
static struct ps_calls within;

static void
setup(void)
{
	memset((void *)&sum, 0, sizeof(sum));
	ps_calls_window_init(&window, 10 * second, 0);
	ps_level_window_init(&levels, 10 * second);
}

static void
call(uint64_t ticks)
{
	sum.calls++;
	sum.total_ticks += ticks;
	sum.max_ticks = PS_MAX(sum.max_ticks, ticks);
	ps_bump(&sum.histogram[ps_hist_bucket(ticks)], 1);
}

static double
step(uint64_t now_ns)
{
	return ps_calls_window_step(&window, now_ns, &sum, &within);
}

static double
figure(enum ps_stat stat, double quantile)
{
	struct ps_rule r = {.stat = stat, .quantile = quantile};

	return ps_calls_figure(&within, &r, 10, 1e-9);
}

START_TEST(first_calls_count)
{
	call(1000);
	ck_assert(step(second) == 1.0);
	ck_assert_uint_eq(within.calls, 1);
	ck_assert_uint_eq(within.total_ticks, 1000);
}
END_TEST

/* One call each 10 ms: never fewer than the window's, an eighth more at most.
 */
START_TEST(covers_its_length_and_an_eighth)
{
	for (uint64_t now = second / 100; now < 100 * second;
	     now += second / 100) {
		double covered;

		call(50);
		covered = step(now);
		if (now < 10 * second)
			continue;
		ck_assert(covered >= 10.0 && covered <= 11.25 + 0.01);
		ck_assert_uint_ge(within.calls, 1000);
		ck_assert_uint_le(within.calls, 1126);
	}
}
END_TEST

/* A slow spell is seen while it is within, and gone after. */
START_TEST(old_calls_go)
{
	for (uint64_t s = 1; s <= 60; s++) {
		for (int i = 0; i < 100; i++)
			call(s >= 20 && s < 25 ? 1000000 : 1000);
		(void)step(s * second);
		if (s < 20)
			ck_assert(figure(PS_STAT_QUANTILE, 0.99) < 1.1e-6);
		if (s >= 21 && s < 34)
			ck_assert(figure(PS_STAT_QUANTILE, 0.99) > 0.9e-3);
		if (s > 37) {
			ck_assert(figure(PS_STAT_QUANTILE, 0.99) < 1.1e-6);
			ck_assert(figure(PS_STAT_MAX, 0) < 1.1e-6);
		}
	}
}
END_TEST

START_TEST(figures_are_right)
{
	for (uint64_t i = 1; i <= 1000; i++)
		call(i * 1000);
	sum.errors = 30;
	(void)step(10 * second);
	ck_assert(fabs(figure(PS_STAT_QUANTILE, 0.5) - 500e-6) < 500e-6 / 50);
	ck_assert(fabs(figure(PS_STAT_QUANTILE, 0.99) - 990e-6) < 990e-6 / 50);
	ck_assert(figure(PS_STAT_MAX, 0) == 1000e-6);
	ck_assert(fabs(figure(PS_STAT_MEAN, 0) - 500.5e-6) < 1e-9);
	ck_assert(figure(PS_STAT_CALLS, 0) == 100.0);
	ck_assert(fabs(figure(PS_STAT_ERRORS, 0) - 0.03) < 1e-12);
}
END_TEST

START_TEST(no_calls_are_unknown_but_counted)
{
	(void)step(second);
	ck_assert(isnan(figure(PS_STAT_QUANTILE, 0.99)));
	ck_assert(isnan(figure(PS_STAT_MAX, 0)));
	ck_assert(isnan(figure(PS_STAT_MEAN, 0)));
	ck_assert(isnan(figure(PS_STAT_ERRORS, 0)));
	ck_assert(figure(PS_STAT_CALLS, 0) == 0.0);
}
END_TEST

START_TEST(a_rate_needs_its_time)
{
	struct ps_rule r = {.stat = PS_STAT_CALLS, .over_ns = 10 * second};

	call(1000);
	(void)step(second / 1000);
	ck_assert(isnan(ps_calls_figure(&within, &r, 0.001, 1e-9)));
	ck_assert(ps_calls_figure(&within, &r, 10, 1e-9) == 0.1);
}
END_TEST

START_TEST(calls_beyond_the_histogram_are_the_maximum)
{
	call(1000);
	sum.over = 1;
	sum.calls++;
	sum.max_ticks = UINT64_C(1) << 50;
	(void)step(second);
	ck_assert_uint_eq(within.max_ticks, UINT64_C(1) << 50);
}
END_TEST

/* Rows of an ended thread are missing for a moment. */
START_TEST(sums_that_fall_count_as_none)
{
	for (int i = 0; i < 100; i++)
		call(1000);
	(void)step(second);
	(void)step(20 * second);
	memset((void *)&sum, 0, sizeof(sum));
	(void)step(21 * second);
	ck_assert_uint_eq(within.calls, 0);
	ck_assert_uint_eq(within.total_ticks, 0);
	ck_assert_uint_eq(ps_hist_count(within.histogram, 0), 0);
}
END_TEST

START_TEST(buckets_may_wrap)
{
	uint32_t b = ps_hist_bucket(1000);

	ps_poke(&sum.histogram[b], UINT32_MAX);
	(void)step(2 * second);
	(void)step(20 * second);
	ps_poke(&sum.histogram[b], 4);
	(void)step(21 * second);
	ck_assert_uint_eq(ps_peek(&within.histogram[b]), 5);
}
END_TEST

START_TEST(growth_is_a_rate_over_the_window)
{
	ck_assert(isnan(ps_level_window_step(&levels, second, 5)));
	for (uint64_t s = 2; s < 100; s++) {
		double rate =
		    ps_level_window_step(&levels, s * second, (double)s * 3);

		if (s < 11)
			ck_assert(isnan(rate));
		else if (s > 25)
			ck_assert(fabs(rate - 3) < 1e-9);
	}
	ck_assert(isnan(ps_level_window_step(&levels, 100 * second, NAN)));
}
END_TEST

/* A week in steps of any length, back and forth: never out of bounds. */
START_TEST(any_clock_is_survived)
{
	uint64_t now = 5 * second;

	srandom(3);
	for (int i = 0; i < 20000; i++) {
		double covered;

		now += (uint64_t)(random() % (60 * (long)second));
		if (random() % 16 == 0)
			now -= PS_MIN(now, (uint64_t)random());
		call((uint64_t)random());
		covered = step(now);
		ck_assert(covered >= 0 && covered < 1e6);
		ck_assert_uint_le(within.calls, sum.calls);
		ck_assert_uint_lt(window.moments.newest, PS_WINDOW_MOMENTS);
		ck_assert_uint_le(window.moments.count, PS_WINDOW_MOMENTS);
	}
}
END_TEST

Suite *
window_suite(void)
{
	Suite *s = suite_create("window");
	TCase *t = tcase_create("window");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, first_calls_count);
	tcase_add_test(t, covers_its_length_and_an_eighth);
	tcase_add_test(t, old_calls_go);
	tcase_add_test(t, figures_are_right);
	tcase_add_test(t, no_calls_are_unknown_but_counted);
	tcase_add_test(t, a_rate_needs_its_time);
	tcase_add_test(t, calls_beyond_the_histogram_are_the_maximum);
	tcase_add_test(t, sums_that_fall_count_as_none);
	tcase_add_test(t, buckets_may_wrap);
	tcase_add_test(t, growth_is_a_rate_over_the_window);
	tcase_add_test(t, any_clock_is_survived);
	suite_add_tcase(s, t);
	return s;
}
