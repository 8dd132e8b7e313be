/* SPDX-License-Identifier: MIT */
/*
 * test_clock - both clocks advance, agree, and know their rate and cost
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "simd/cpu.h"

static const enum ps_choice_clock choices[] = {PS_CLOCK_AUTO, PS_CLOCK_USE_TSC,
					       PS_CLOCK_USE_MONOTONIC};

START_TEST(before_init_it_is_monotonic_nanoseconds)
{
	uint64_t before = ps_os_monotonic_ns();
	ps_ticks now;

	memset(&ps_clock, 0, sizeof(ps_clock));
	now = ps_clock_now();
	ck_assert_uint_ge(now, before);
	ck_assert_uint_le(now, ps_os_monotonic_ns());
	ck_assert_str_eq(ps_clock_name(), "monotonic");
}
END_TEST

START_TEST(choice_is_obeyed)
{
	ps_clock_init(PS_CLOCK_USE_MONOTONIC);
	ck_assert_uint_eq(ps_clock.kind, PS_CLOCK_MONOTONIC);
	ck_assert_str_eq(ps_clock_name(), "monotonic");
	ps_clock_init(PS_CLOCK_USE_TSC);
	ck_assert_uint_eq(ps_clock.kind, ps_cpu_has_invariant_tsc()
					     ? PS_CLOCK_TSC
					     : PS_CLOCK_MONOTONIC);
	ck_assert_uint_gt(ps_clock.first_ns, 0);
}
END_TEST

/* Without /sys it is unknown whether the kernel trusts the TSC. */
START_TEST(unknown_clock_source_means_monotonic)
{
	if (!ps_cpu_has_invariant_tsc())
		return;
	ps_os_fail_at(1, ENOENT);
	ps_clock_init(PS_CLOCK_AUTO);
	ps_os_fail_at(0, 0);
	ck_assert_uint_eq(ps_clock.kind, PS_CLOCK_MONOTONIC);
}
END_TEST

START_TEST(ticks_do_not_go_back)
{
	ps_ticks last;

	ps_clock_init(choices[_i]);
	last = ps_clock_now();
	for (int i = 0; i < 10000; i++) {
		ps_ticks now = ps_clock_now();

		if (now < last)
			ck_abort_msg("%llu after %llu", (unsigned long long)now,
				     (unsigned long long)last);
		last = now;
	}
}
END_TEST

START_TEST(pair_lies_between_its_neighbours)
{
	uint64_t before, ns;
	ps_ticks ticks_before, ticks;

	ps_clock_init(choices[_i]);
	before = ps_os_monotonic_ns();
	ticks_before = ps_clock_now();
	ck_assert_uint_lt(ps_clock_pair(&ticks, &ns), 100000);
	ck_assert_uint_ge(ns, before);
	ck_assert_uint_le(ns, ps_os_monotonic_ns());
	ck_assert_uint_ge(ticks, ticks_before);
	ck_assert_uint_le(ticks, ps_clock_now());
	if (ps_clock.kind == PS_CLOCK_MONOTONIC)
		ck_assert_uint_eq(ticks, ns);
}
END_TEST

/* Two distances, one twenty times the other: one rate. */
START_TEST(rate_is_repeatable_within_its_uncertainty)
{
	double hz[2], ppm[2];
	double apart;

	ps_clock_init(choices[_i]);
	for (int i = 0; i < 2; i++) {
		ps_ticks ticks[2];
		uint64_t ns[2];
		uint64_t width = ps_clock_pair(&ticks[0], &ns[0]);

		ps_os_sleep_ns(i == 0 ? 5000000 : 100000000);
		width += ps_clock_pair(&ticks[1], &ns[1]);
		ck_assert_int_eq(ps_clock_rate(ticks[1] - ticks[0],
					       ns[1] - ns[0], width, &hz[i],
					       &ppm[i]),
				 0);
	}
	apart = (hz[0] / hz[1] - 1) * 1e6;
	/* The kernel's own clock is steered by up to 500 ppm, but slowly. */
	ck_assert_double_le(apart, ppm[0] + ppm[1] + 20);
	ck_assert_double_ge(apart, -(ppm[0] + ppm[1] + 20));
	ck_assert_double_le(ppm[1], 1000);
	if (ps_clock.kind == PS_CLOCK_MONOTONIC)
		ck_assert_double_eq(hz[1], 1e9);
}
END_TEST

START_TEST(rate_of_a_moment_is_an_error)
{
	double hz = 42, ppm = 43;

	ck_assert_int_eq(ps_clock_rate(1000, 0, 0, &hz, &ppm), -ENODATA);
	ck_assert_int_eq(ps_clock_rate(1000, 50, 50, &hz, &ppm), -ENODATA);
	ck_assert_int_eq(ps_clock_rate(0, 1000, 50, &hz, &ppm), -ENODATA);
	ck_assert_int_eq(ps_clock_rate(1000, -1000ul, 50, &hz, &ppm), -ENODATA);
	ck_assert_int_eq(ps_clock_rate(-1000ul, 1000, 50, &hz, &ppm), -ENODATA);
	ck_assert_double_eq(hz, 42);
	ck_assert_double_eq(ppm, 43);
}
END_TEST

START_TEST(rate_and_uncertainty_by_hand)
{
	double hz, ppm;

	/* 2500 ticks in a microsecond; brackets of 2 x 1 ns. */
	ck_assert_int_eq(ps_clock_rate(2500, 1000, 2, &hz, &ppm), 0);
	ck_assert_double_eq_tol(hz, 2.5e9, 1);
	ck_assert_double_eq_tol(ppm, 1000, 1e-6);
}
END_TEST

START_TEST(cost_and_quantum_are_plausible)
{
	double cost;

	ps_clock_init(choices[_i]);
	cost = ps_clock_cost_ns();
	ck_assert_double_gt(cost, 0.5);
	ck_assert_double_lt(cost, 20000);
	/* A step cannot exceed what a hundred readings take. */
	if (ps_clock.kind == PS_CLOCK_MONOTONIC)
		ck_assert_double_lt((double)ps_clock_quantum(), 1e7);
}
END_TEST

/* As a Zen 4 guest gives them: 26 ticks, of which one may come early. */
START_TEST(a_rare_step_is_not_the_clocks)
{
	ps_ticks steps[100];

	for (int i = 0; i < 100; i++)
		steps[i] = i % 20 == 0 ? 25 : i % 20 == 1 ? 1 : 26;
	ck_assert_uint_eq(ps_clock_common_step(steps, 100), 26);
	for (int i = 0; i < 100; i++)
		steps[i] = i % 2 == 0 ? 30 : 20;
	ck_assert_uint_eq(ps_clock_common_step(steps, 100), 10);
	ck_assert_uint_eq(ps_clock_common_step(steps, 0), 0);
}
END_TEST

START_TEST(the_reason_for_the_clock_is_named)
{
	ps_clock_init(PS_CLOCK_USE_MONOTONIC);
	ck_assert_str_eq(ps_clock_trust(), "chosen");
	ps_clock_init(PS_CLOCK_AUTO);
	if (ps_clock.kind == PS_CLOCK_TSC)
		ck_assert_str_eq(ps_clock_trust(), "kernel");
	else
		ck_assert(strcmp(ps_clock_trust(), "unstable") == 0 ||
			  strcmp(ps_clock_trust(), "varying") == 0);
}
END_TEST

Suite *clock_suite(void);

Suite *
clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *choice = tcase_create("choice");
	TCase *reading = tcase_create("reading");
	int all = (int)PS_COUNT(choices);

	tcase_add_test(choice, before_init_it_is_monotonic_nanoseconds);
	tcase_add_test(choice, choice_is_obeyed);
	tcase_add_test(choice, unknown_clock_source_means_monotonic);
	suite_add_tcase(s, choice);

	tcase_add_loop_test(reading, ticks_do_not_go_back, 0, all);
	tcase_add_loop_test(reading, pair_lies_between_its_neighbours, 0, all);
	tcase_add_loop_test(reading, rate_is_repeatable_within_its_uncertainty,
			    0, all);
	tcase_add_test(reading, rate_of_a_moment_is_an_error);
	tcase_add_test(reading, rate_and_uncertainty_by_hand);
	tcase_add_test(reading, a_rare_step_is_not_the_clocks);
	tcase_add_test(choice, the_reason_for_the_clock_is_named);
	tcase_add_loop_test(reading, cost_and_quantum_are_plausible, 0, all);
	suite_add_tcase(s, reading);
	return s;
}
