/* SPDX-License-Identifier: MIT */
/*
 * test_trigger - hold, hysteresis and rate limit, on a clock of the test's own
 */
#include <check.h>
#include <math.h>

#include "monitor/trigger.h"

static const uint64_t second = 1000000000;
static struct ps_trigger trigger;
static struct ps_rule rule;

static void
setup(void)
{
	trigger = (struct ps_trigger){0};
	rule = (struct ps_rule){.threshold = 100, .clear = 90};
}

static bool
step(double value, uint64_t now_s)
{
	return ps_trigger_step(&trigger, &rule, value, rule.threshold,
			       rule.clear, now_s * second);
}

START_TEST(raised_once_while_it_holds)
{
	ck_assert(!step(100, 1)); /* not over it */
	ck_assert(step(101, 2));
	for (uint64_t s = 3; s < 1000; s++)
		ck_assert(!step(500, s));
}
END_TEST

START_TEST(armed_again_only_below_clear)
{
	ck_assert(step(101, 1));
	ck_assert(!step(91, 2));
	ck_assert(!step(101, 3));
	ck_assert(!step(90, 4));
	ck_assert(step(101, 5));
}
END_TEST

START_TEST(a_swing_about_the_threshold_is_one_alert)
{
	unsigned alerts = 0;

	for (uint64_t s = 1; s < 10000; s++)
		alerts += step(s % 2 == 0 ? 99 : 101, s);
	ck_assert_uint_eq(alerts, 1);
}
END_TEST

START_TEST(must_hold_for_its_time)
{
	rule.hold_ns = 30 * second;
	ck_assert(!step(101, 100));
	ck_assert(!step(101, 129));
	ck_assert(!step(99, 129)); /* starts again */
	ck_assert(!step(101, 130));
	ck_assert(!step(101, 159));
	ck_assert(step(101, 160));
}
END_TEST

START_TEST(rate_limit_delays_what_still_holds)
{
	rule.every_ns = 60 * second;
	ck_assert(step(101, 10));
	ck_assert(!step(0, 11));
	ck_assert(!step(101, 12)); /* too early */
	ck_assert(!step(101, 69));
	ck_assert(step(101, 70));
}
END_TEST

START_TEST(rate_limit_forgets_what_is_over)
{
	rule.every_ns = 60 * second;
	ck_assert(step(101, 10));
	ck_assert(!step(0, 11));
	ck_assert(!step(101, 12));
	ck_assert(!step(0, 13));
	ck_assert(!step(0, 100));
}
END_TEST

/* Every second bad, then good: at most one alert each `every`, for a year. */
START_TEST(a_year_of_flapping_is_bounded)
{
	const uint64_t year_s = 365 * 86400;
	uint64_t alerts = 0;

	rule.every_ns = 3600 * second;
	for (uint64_t s = 1; s < year_s; s += 7)
		alerts += step(s % 2 == 0 ? 0 : 101, s);
	ck_assert_uint_le(alerts, year_s / 3600 + 1);
	ck_assert_uint_ge(alerts, year_s / 3700);
}
END_TEST

START_TEST(below_works_the_other_way)
{
	rule = (struct ps_rule){.is_below = true, .threshold = 10, .clear = 11};
	ck_assert(!step(10, 1));
	ck_assert(step(9, 2));
	ck_assert(!step(10.5, 3));
	ck_assert(!step(9, 4));
	ck_assert(!step(11, 5));
	ck_assert(step(9, 6));
}
END_TEST

START_TEST(unknown_changes_nothing)
{
	rule.hold_ns = 10 * second;
	ck_assert(!step(101, 1));
	ck_assert(!step(NAN, 5));
	ck_assert(step(101, 11));
	ck_assert(!ps_trigger_step(&trigger, &rule, 0, NAN, NAN, 12 * second));
	ck_assert(trigger.is_raised);
}
END_TEST

START_TEST(a_clock_that_goes_back_stands_still)
{
	rule.hold_ns = 10 * second;
	ck_assert(!step(101, 100));
	ck_assert(!step(101, 3));
	ck_assert(!step(101, 109));
	ck_assert(step(101, 110));
}
END_TEST

/* The process was stopped for a day: the state before holds over the gap. */
START_TEST(a_suspended_process_goes_on)
{
	rule.hold_ns = 30 * second;
	ck_assert(!step(101, 1));
	ck_assert(step(101, 86400));
	ck_assert(!step(101, 2 * 86400));
}
END_TEST

Suite *
trigger_suite(void)
{
	Suite *s = suite_create("trigger");
	TCase *t = tcase_create("steps");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, raised_once_while_it_holds);
	tcase_add_test(t, armed_again_only_below_clear);
	tcase_add_test(t, a_swing_about_the_threshold_is_one_alert);
	tcase_add_test(t, must_hold_for_its_time);
	tcase_add_test(t, rate_limit_delays_what_still_holds);
	tcase_add_test(t, rate_limit_forgets_what_is_over);
	tcase_add_test(t, a_year_of_flapping_is_bounded);
	tcase_add_test(t, below_works_the_other_way);
	tcase_add_test(t, unknown_changes_nothing);
	tcase_add_test(t, a_clock_that_goes_back_stands_still);
	tcase_add_test(t, a_suspended_process_goes_on);
	suite_add_tcase(s, t);
	return s;
}
