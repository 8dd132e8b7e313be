/* SPDX-License-Identifier: MIT */
/*
 * test_watch - the kernel's counters are read right, and what disturbs a run
 * is named
 */
#include <check.h>
#include <math.h>

#include "base/os.h"
#include "measure/watch.h"

static const char stat_line[] =
    "cpu  345359 7 83438 439200 1674 0 1044 203 9 9\ncpu0 1 2 3\n";
static const char pressure_line[] =
    "some avg10=6.46 avg60=17.17 avg300=13.62 total=410766537\nfull avg10=";

START_TEST(both_files_are_understood)
{
	struct ps_watch w = {0};

	ps_watch_parse(&w, stat_line, pressure_line);
	ck_assert(w.is_steal_known && w.is_pressure_known);
	ck_assert_uint_eq(w.steal_ticks, 203);
	/* guest time, the last two, is part of user time already */
	ck_assert_uint_eq(w.all_ticks,
			  345359 + 7 + 83438 + 439200 + 1674 + 0 + 1044 + 203);
	ck_assert_uint_eq(w.pressure_us, 410766537);
}
END_TEST

static const struct {
	const char *stat, *pressure;
} damaged[] = {
    {"", ""},
    {"cpu", "some"},
    {"cpu  1 2 3", "some avg10=6.46"},
    {"cpu0 1 2 3 4 5 6 7 8", "full total=7"},
    {"cpu  1 2 3 4 5 6 7 x", "some total="},
    {"intr 1 2 3 4 5 6 7 8", "total=1"},
};

START_TEST(a_file_of_another_shape_is_unknown)
{
	struct ps_watch w = {.is_steal_known = true, .is_pressure_known = true};

	ps_watch_parse(&w, damaged[_i].stat, damaged[_i].pressure);
	ck_assert(!w.is_steal_known);
	ck_assert(!w.is_pressure_known);
}
END_TEST

START_TEST(fractions_are_of_what_went_by)
{
	struct ps_watch start = {.ns = 1000000000,
				 .steal_ticks = 100,
				 .all_ticks = 10000,
				 .pressure_us = 5000,
				 .is_steal_known = true,
				 .is_pressure_known = true};
	struct ps_watch end = start;
	struct ps_calibration c = {.watched = PS_WATCHED_DRIFT};

	end.ns += 2000000000;
	end.steal_ticks += 30;
	end.all_ticks += 400;
	end.pressure_us += 500000;
	ps_watch_between(&start, &end, &c);
	ck_assert_uint_eq(c.watched, PS_WATCHED_DRIFT | PS_WATCHED_STEAL |
					 PS_WATCHED_PRESSURE);
	ck_assert_double_eq_tol(c.steal_fraction, 0.075, 1e-12);
	ck_assert_double_eq_tol(c.pressure_fraction, 0.25, 1e-12);
	ck_assert_uint_eq(ps_watch_doubts(&c),
			  PS_DOUBT_STEAL | PS_DOUBT_WAITING);
}
END_TEST

START_TEST(what_is_not_known_is_no_doubt)
{
	struct ps_watch start = {.ns = 5, .is_steal_known = true};
	struct ps_watch end = start;
	struct ps_calibration c = {.watched = PS_WATCHED_STEAL,
				   .drift_fraction = 9,
				   .core_drift = 9,
				   .steal_fraction = 9,
				   .pressure_fraction = 9};

	ps_watch_between(&start, &end, &c); /* no time went by */
	ck_assert_uint_eq(c.watched, 0);
	ck_assert_uint_eq(ps_watch_doubts(&c), 0);
	c.memory_drift = 9;
	ck_assert_uint_eq(ps_watch_doubts(&c), 0);
	c.watched = PS_WATCHED_MEMORY;
	ck_assert_uint_eq(ps_watch_doubts(&c), PS_DOUBT_MEMORY);
	c.watched = PS_WATCHED_DRIFT;
	ck_assert_uint_eq(ps_watch_doubts(&c),
			  PS_DOUBT_SLOWER | PS_DOUBT_FREQUENCY);
	c.drift_fraction = NAN;
	c.core_drift = -0.2;
	ck_assert_uint_eq(ps_watch_doubts(&c), PS_DOUBT_FREQUENCY);
}
END_TEST

START_TEST(a_look_at_this_machine_goes_forward)
{
	struct ps_watch start, end;
	struct ps_calibration c = {0};

	ps_watch_read(&start);
	ps_os_sleep_ns(30000000);
	ps_watch_read(&end);
	ck_assert_uint_gt(end.ns, start.ns);
	ck_assert(end.is_steal_known == start.is_steal_known);
	ps_watch_between(&start, &end, &c);
	if (c.watched & PS_WATCHED_STEAL)
		ck_assert_double_le(c.steal_fraction, 1);
	if (c.watched & PS_WATCHED_PRESSURE)
		ck_assert_double_le(c.pressure_fraction, 1.5);
}
END_TEST

Suite *watch_suite(void);

Suite *
watch_suite(void)
{
	Suite *s = suite_create("watch");
	TCase *watch = tcase_create("watch");

	tcase_add_test(watch, both_files_are_understood);
	tcase_add_loop_test(watch, a_file_of_another_shape_is_unknown, 0,
			    (int)PS_COUNT(damaged));
	tcase_add_test(watch, fractions_are_of_what_went_by);
	tcase_add_test(watch, what_is_not_known_is_no_doubt);
	tcase_add_test(watch, a_look_at_this_machine_goes_forward);
	suite_add_tcase(s, watch);
	return s;
}
