/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>

#include "base/os.h"
#include "measure/clock.h"
#include "profile/section_cost.h"

static double
ns_per_tick(void)
{
	ps_ticks first_ticks;
	ps_ticks ticks;
	uint64_t first_ns;
	uint64_t ns;

	ps_clock_init(PS_CLOCK_AUTO);
	(void)ps_clock_pair(&first_ticks, &first_ns);
	ps_os_sleep_ns(2000000);
	(void)ps_clock_pair(&ticks, &ns);
	return (double)(ns - first_ns) / (double)(ticks - first_ticks);
}

/* Twice, for the row that it counts in is the same one. */
START_TEST(a_pair_costs_its_two_readings_and_the_inside_is_a_part)
{
	double rate = ns_per_tick();
	double reading = ps_clock_cost_ns();

	for (int i = 0; i < 2; i++) {
		double pair = 0;
		double inside = 0;

		ck_assert_int_eq(ps_section_cost(rate, &pair, &inside), 0);
		ck_assert_double_gt(pair, reading);
		ck_assert_double_lt(pair, 1e5);
		ck_assert_double_gt(inside, 0);
		ck_assert_double_lt(inside, pair);
	}
}
END_TEST

START_TEST(without_memory_nothing_is_said)
{
	double pair = 42;
	double inside = 43;

	ps_os_fail_at(1, ENOMEM);
	ck_assert_int_eq(ps_section_cost(1, &pair, &inside), -ENOMEM);
	ps_os_fail_at(0, 0);
	ck_assert_double_eq(pair, 42);
	ck_assert_double_eq(inside, 43);
}
END_TEST

Suite *section_cost_suite(void);

Suite *
section_cost_suite(void)
{
	Suite *s = suite_create("section_cost");
	TCase *cost = tcase_create("cost");

	tcase_add_test(cost,
		       a_pair_costs_its_two_readings_and_the_inside_is_a_part);
	tcase_add_test(cost, without_memory_nothing_is_said);
	suite_add_tcase(s, cost);
	return s;
}
