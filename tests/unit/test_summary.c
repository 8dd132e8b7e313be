/* SPDX-License-Identifier: MIT */
/*
 * test_summary - one set of samples, against values worked out by hand
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "bench/summary.h"

static struct ps_scratch scratch;

static void
start(void)
{
	ps_scratch_init(&scratch, 0);
}

static void
end(void)
{
	ps_scratch_fini(&scratch);
}

START_TEST(figures_of_a_known_set)
{
	static const double samples[] = {5, 1, 3, 2, 4, 100, 6, 7, 8, 9, 10};
	struct ps_summary s;

	ck_assert_int_eq(ps_summarize(samples, 11, &scratch, &s), 0);
	ck_assert_uint_eq(s.count, 11);
	ck_assert_double_eq_tol(s.mean, 155.0 / 11, 1e-12);
	ck_assert_double_eq(s.min, 1);
	ck_assert_double_eq(s.max, 100);
	ck_assert_double_eq(s.median, 6);
	ck_assert_double_eq(s.mad, 3);
	ck_assert_double_eq_tol(s.p95, 55, 1e-9);
	ck_assert_double_eq_tol(s.p99, 91, 1e-9);
	/* Quartiles 3.5 and 8.5: fences at 16 and 23.5. */
	ck_assert_uint_eq(s.outliers, 1);
	ck_assert_uint_eq(s.severe, 1);
	ck_assert_double_lt(s.mean_interval.low, s.mean);
	ck_assert_double_gt(s.mean_interval.high, s.mean);
}
END_TEST

START_TEST(samples_are_left_alone)
{
	double samples[] = {3, 1, 2};
	struct ps_summary s;

	ck_assert_int_eq(ps_summarize(samples, 3, &scratch, &s), 0);
	ck_assert_double_eq(samples[0], 3);
	ck_assert_double_eq(samples[2], 2);
}
END_TEST

START_TEST(one_sample_is_known_and_nothing_about_it)
{
	static const double one[] = {4};
	struct ps_summary s;

	ck_assert_int_eq(ps_summarize(one, 1, &scratch, &s), 0);
	ck_assert_double_eq(s.mean, 4);
	ck_assert_double_eq(s.p99, 4);
	ck_assert(isnan(s.deviation));
	ck_assert(isnan(s.mean_interval.low));
}
END_TEST

START_TEST(few_samples_have_students_interval)
{
	static const double samples[] = {1, 2, 6};
	struct ps_summary s;

	ck_assert_int_eq(ps_summarize(samples, 3, &scratch, &s), 0);
	ck_assert_double_eq_tol(s.mean_interval.high - 3,
				4.302652730 * sqrt(7.0 / 3), 1e-6);
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
	static const double samples[] = {1, NAN, INFINITY};
	struct ps_summary s = {.mean = 42};

	ck_assert_int_eq(ps_summarize(samples, 0, &scratch, &s), -ENODATA);
	ck_assert_int_eq(ps_summarize(samples, 2, &scratch, &s), -EDOM);
	ck_assert_int_eq(ps_summarize(samples + 2, 1, &scratch, &s), -EDOM);
	ck_assert_double_eq(s.mean, 42);
}
END_TEST

START_TEST(no_memory_is_said)
{
	static const double samples[] = {1, 2};
	struct ps_summary s;

	ps_scratch_init(&scratch, 1);
	ck_assert_int_eq(ps_summarize(samples, 2, &scratch, &s), -ENOMEM);
}
END_TEST

Suite *summary_suite(void);

Suite *
summary_suite(void)
{
	Suite *s = suite_create("summary");
	TCase *c = tcase_create("summary");

	tcase_add_checked_fixture(c, start, end);
	tcase_add_test(c, figures_of_a_known_set);
	tcase_add_test(c, samples_are_left_alone);
	tcase_add_test(c, one_sample_is_known_and_nothing_about_it);
	tcase_add_test(c, few_samples_have_students_interval);
	tcase_add_test(c, what_is_no_number_is_refused);
	tcase_add_test(c, no_memory_is_said);
	suite_add_tcase(s, c);
	return s;
}
