/* SPDX-License-Identifier: MIT */
/*
 * test_stat - moments and order statistics against hand-made and long-double
 * results
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "measure/stat.h"

START_TEST(moments_of_a_known_set)
{
	static const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
	struct ps_stat s = {0};
	double variance, deviation;

	for (size_t i = 0; i < PS_COUNT(values); i++)
		ps_stat_record(&s, values[i]);
	ck_assert_uint_eq(s.count, 8);
	ck_assert_double_eq_tol(s.mean, 5, 1e-12);
	ck_assert_double_eq(s.min, 2);
	ck_assert_double_eq(s.max, 9);
	ck_assert_int_eq(ps_stat_variance(&s, &variance), 0);
	ck_assert_double_eq_tol(variance, 32.0 / 7, 1e-12);
	ck_assert_int_eq(ps_stat_deviation(&s, &deviation), 0);
	ck_assert_double_eq_tol(deviation, sqrt(32.0 / 7), 1e-12);
}
END_TEST

START_TEST(variance_of_one_value_is_an_error)
{
	struct ps_stat s = {0};
	double variance = 42;

	ck_assert_int_eq(ps_stat_variance(&s, &variance), -ENODATA);
	ps_stat_record(&s, 1);
	ck_assert_int_eq(ps_stat_variance(&s, &variance), -ENODATA);
	ck_assert_int_eq(ps_stat_deviation(&s, &variance), -ENODATA);
	ck_assert_double_eq(variance, 42);
}
END_TEST

/* Sums of squares would lose the whole variance here. */
START_TEST(small_scatter_on_a_large_mean_survives)
{
	struct ps_stat s = {0};
	double variance;

	for (int i = 0; i < 1000; i++)
		ps_stat_record(&s, 1e9 + (i % 2));
	ck_assert_int_eq(ps_stat_variance(&s, &variance), 0);
	ck_assert_double_eq_tol(variance, 0.25 * 1000 / 999, 1e-6);
}
END_TEST

START_TEST(merging_is_recording_everything)
{
	struct ps_stat part[2] = {{0}}, all = {0};
	double merged, whole;

	for (int i = 0; i < 500; i++) {
		double x = (double)rand() / RAND_MAX * (i < 100 ? 1000 : 1);

		ps_stat_record(&part[i % 50 < _i], x);
		ps_stat_record(&all, x);
	}
	ps_stat_merge(&part[0], &part[1]);
	ck_assert_uint_eq(part[0].count, all.count);
	ck_assert_double_eq_tol(part[0].mean, all.mean, 1e-9);
	ck_assert_double_eq(part[0].min, all.min);
	ck_assert_double_eq(part[0].max, all.max);
	ps_stat_variance(&part[0], &merged);
	ps_stat_variance(&all, &whole);
	ck_assert_double_eq_tol(merged / whole, 1, 1e-9);
}
END_TEST

static int
ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Every length and many duplicates, against qsort. */
START_TEST(sorting_sorts)
{
	double values[70], expected[70];

	for (size_t n = 0; n <= 70; n++) {
		for (size_t i = 0; i < n; i++)
			values[i] = expected[i] = rand() % (int)(n / 2 + 1);
		ps_stat_sort(values, n);
		qsort(expected, n, sizeof(double), ascending);
		if (n > 0)
			ck_assert_mem_eq(values, expected, n * sizeof(double));
	}
}
END_TEST

START_TEST(median_of_odd_and_even)
{
	double odd[] = {9, -1, 5};
	double even[] = {4, 1, 3, 2};
	double large[] = {1.5e308, 1.7e308};
	double median;

	ck_assert_int_eq(ps_stat_median(odd, 3, &median), 0);
	ck_assert_double_eq(median, 5);
	ck_assert_int_eq(ps_stat_median(even, 4, &median), 0);
	ck_assert_double_eq(median, 2.5);
	ck_assert_int_eq(ps_stat_median(large, 2, &median), 0);
	ck_assert(isfinite(median));
}
END_TEST

START_TEST(median_needs_numbers)
{
	double values[] = {1, NAN, 3};
	double median = 42;

	ck_assert_int_eq(ps_stat_median(values, 0, &median), -ENODATA);
	ck_assert_int_eq(ps_stat_median(values, 3, &median), -EDOM);
	ck_assert_double_eq(median, 42);
}
END_TEST

START_TEST(mad_ignores_an_outlier)
{
	double values[] = {1, 1, 2, 2, 4, 6, 9e9};
	double endless[] = {INFINITY, INFINITY};
	double median, mad;

	ck_assert_int_eq(ps_stat_mad(values, 7, &median, &mad), 0);
	ck_assert_double_eq(median, 2);
	ck_assert_double_eq(mad, 1);
	median = 42;
	ck_assert_int_eq(ps_stat_mad(endless, 2, &median, &mad), -EDOM);
	ck_assert_double_eq(median, 42);
}
END_TEST

Suite *stat_suite(void);

Suite *
stat_suite(void)
{
	Suite *s = suite_create("stat");
	TCase *moments = tcase_create("moments");
	TCase *order = tcase_create("order");

	tcase_add_test(moments, moments_of_a_known_set);
	tcase_add_test(moments, variance_of_one_value_is_an_error);
	tcase_add_test(moments, small_scatter_on_a_large_mean_survives);
	/* The second part gets none, some and all. */
	tcase_add_loop_test(moments, merging_is_recording_everything, 0, 51);
	suite_add_tcase(s, moments);

	tcase_add_test(order, sorting_sorts);
	tcase_add_test(order, median_of_odd_and_even);
	tcase_add_test(order, median_needs_numbers);
	tcase_add_test(order, mad_ignores_an_outlier);
	suite_add_tcase(s, order);
	return s;
}
