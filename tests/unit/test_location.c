/* SPDX-License-Identifier: MIT */
/*
 * test_location - trimmed means by hand, and how often intervals hold the truth
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bench/location.h"
#include "measure/stat.h"
#include "tests/unit/noise.h"

/* Cut to 3..8; winsorized: 3 3 3 4 5 6 7 8 8 8, squares 42.5, h = 6. */
START_TEST(trimmed_mean_by_hand)
{
	static const double sorted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1000};
	struct ps_location l;

	ck_assert_int_eq(ps_location_of(sorted, 10, 0.2, &l), 0);
	ck_assert_double_eq_tol(l.value, 5.5, 1e-12);
	ck_assert_double_eq_tol(l.error, sqrt(42.5 / 30), 1e-12);
	ck_assert_double_eq(l.freedom, 5);
}
END_TEST

START_TEST(untrimmed_is_the_mean)
{
	static const double sorted[] = {1, 2, 6};
	struct ps_location l;
	struct ps_interval i;

	ck_assert_int_eq(ps_location_of(sorted, 3, 0, &l), 0);
	ck_assert_double_eq_tol(l.value, 3, 1e-12);
	ck_assert_double_eq_tol(l.error, sqrt(7.0 / 3), 1e-12);
	i = ps_location_interval(&l, 0.95);
	ck_assert_double_eq_tol(i.high - 3, 4.302652730 * sqrt(7.0 / 3), 1e-6);
	ck_assert_double_eq_tol(3 - i.low, i.high - 3, 1e-9);
}
END_TEST

START_TEST(one_sample_has_no_error)
{
	static const double one[] = {1};
	struct ps_location l = {.value = 42};
	struct ps_interval i;
	char work[4096 * 10];

	ck_assert_int_eq(ps_location_of(one, 1, 0, &l), -ENODATA);
	ck_assert_int_eq(ps_location_of(one, 0, 0.2, &l), -ENODATA);
	ck_assert_double_eq(l.value, 42);
	ck_assert_int_eq(ps_location_bootstrap(one, 1, 0, 0.95, 1, work, &i),
			 -ENODATA);
}
END_TEST

START_TEST(quantiles_are_interpolated)
{
	static const double sorted[] = {10, 20, 30, 50};

	ck_assert_double_eq(ps_location_quantile(sorted, 4, 0), 10);
	ck_assert_double_eq(ps_location_quantile(sorted, 4, 0.5), 25);
	ck_assert_double_eq_tol(ps_location_quantile(sorted, 4, 0.9), 44, 1e-9);
	ck_assert_double_eq(ps_location_quantile(sorted, 4, 1), 50);
	ck_assert_double_eq(ps_location_quantile(sorted, 1, 0.99), 10);
}
END_TEST

START_TEST(no_scatter_is_a_point)
{
	static const double same[] = {7, 7, 7, 7, 7, 7, 7};
	char *work = malloc(ps_location_bootstrap_bytes(7));
	struct ps_interval i;

	ck_assert_int_eq(ps_location_bootstrap(same, 7, 0.2, 0.95, 1, work, &i),
			 0);
	ck_assert_double_eq(i.low, 7);
	ck_assert_double_eq(i.high, 7);
	free(work);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_interval)
{
	double sorted[12];
	char *work = malloc(ps_location_bootstrap_bytes(12));
	struct ps_interval a, b;

	for (int i = 0; i < 12; i++)
		sorted[i] = i * i;
	ps_location_bootstrap(sorted, 12, 0, 0.95, 9, work, &a);
	ps_location_bootstrap(sorted, 12, 0, 0.95, 9, work, &b);
	ck_assert_double_eq(a.low, b.low);
	ck_assert_double_eq(a.high, b.high);
	/* Skewed to the right: the interval reaches further up. */
	ck_assert_double_gt(a.high - 506.0 / 12, 506.0 / 12 - a.low);
	free(work);
}
END_TEST

/*
 * A 95 % interval holds the truth in about 95 of 100 cases.  The truth of the
 * mean of a skewed distribution is known; of a symmetric one also the trimmed
 * mean's.
 */
static double
coverage(enum noise_model model, size_t n, double trim, double truth)
{
	enum { TRIALS = 600 };
	struct noise noise = {.model = model, .random = 12345 + n};
	char *work = malloc(ps_location_bootstrap_bytes(n));
	double *samples = malloc(n * sizeof(*samples));
	int held = 0;

	for (int trial = 0; trial < TRIALS; trial++) {
		struct ps_interval i;

		for (size_t k = 0; k < n; k++)
			samples[k] = log(noise_sample(&noise, 1));
		ps_stat_sort(samples, n);
		ps_location_bootstrap(samples, n, trim, 0.95,
				      (uint64_t)trial + 1, work, &i);
		held += i.low <= truth && truth <= i.high;
	}
	free(samples);
	free(work);
	return (double)held / TRIALS;
}

/* 600 trials scatter by 0.9 %. */
START_TEST(bootstrap_covers_what_it_says)
{
	double normal = coverage(NOISE_NORMAL, 10, 0.2, 0);
	double skewed = coverage(NOISE_SKEWED, 20, 0, 0.03);

	ck_assert_double_ge(normal, 0.92);
	ck_assert_double_le(normal, 0.98);
	ck_assert_double_ge(skewed, 0.915);
	ck_assert_double_le(skewed, 0.98);
}
END_TEST

START_TEST(difference_adds_errors)
{
	struct ps_location a = {.value = 1, .error = 3, .freedom = 5};
	struct ps_location b = {.value = 3, .error = 4, .freedom = 9};
	struct ps_location d = ps_location_difference(&a, &b);

	ck_assert_double_eq(d.value, 2);
	ck_assert_double_eq_tol(d.error, 5, 1e-12);
	/* Satterthwaite: 625 / (81 / 5 + 256 / 9). */
	ck_assert_double_eq_tol(d.freedom, 625 / (81.0 / 5 + 256.0 / 9), 1e-9);
}
END_TEST

Suite *location_suite(void);

Suite *
location_suite(void)
{
	Suite *s = suite_create("location");
	TCase *c = tcase_create("location");
	TCase *b = tcase_create("bootstrap");

	tcase_add_test(c, trimmed_mean_by_hand);
	tcase_add_test(c, untrimmed_is_the_mean);
	tcase_add_test(c, one_sample_has_no_error);
	tcase_add_test(c, quantiles_are_interpolated);
	tcase_add_test(c, difference_adds_errors);
	suite_add_tcase(s, c);
	tcase_add_test(b, no_scatter_is_a_point);
	tcase_add_test(b, the_same_seed_gives_the_same_interval);
	tcase_add_test(b, bootstrap_covers_what_it_says);
	tcase_set_timeout(b, 60);
	suite_add_tcase(s, b);
	return s;
}
