/* SPDX-License-Identifier: MIT */
/*
 * test_compare - ratios of pairs, their intervals, and the balanced order
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "base/random.h"
#include "bench/compare.h"
#include "tests/unit/noise.h"

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

/* Drift of 100 % over the runs, and still 8 % to the digit. */
START_TEST(pairs_take_drift_out)
{
	double a[20], b[20];
	struct ps_comparison c;

	for (int i = 0; i < 20; i++) {
		a[i] = 1 + 0.05 * i;
		b[i] = a[i] * 1.08;
	}
	ck_assert_int_eq(ps_compare_pairs(a, b, 20, &scratch, &c), 0);
	ck_assert_uint_eq(c.pairs, 20);
	ck_assert_double_eq_tol(c.ratio, 1.08, 1e-9);
	ck_assert_double_eq_tol(c.interval.low, 1.08, 1e-6);
	ck_assert_double_eq_tol(c.interval.high, 1.08, 1e-6);
	ck_assert_int_eq(c.difference, PS_B_IS_MORE);
}
END_TEST

START_TEST(swapping_sides_inverts)
{
	struct noise n = {.model = NOISE_NORMAL, .random = 77};
	double a[15], b[15];
	struct ps_comparison there, back;

	for (int i = 0; i < 15; i++) {
		a[i] = noise_sample(&n, 1);
		b[i] = noise_sample(&n, 0.8);
	}
	ck_assert_int_eq(ps_compare_pairs(a, b, 15, &scratch, &there), 0);
	ck_assert_int_eq(ps_compare_pairs(b, a, 15, &scratch, &back), 0);
	ck_assert_double_eq_tol(there.ratio * back.ratio, 1, 1e-12);
	ck_assert_int_eq(there.difference, PS_B_IS_LESS);
	ck_assert_int_eq(back.difference, PS_B_IS_MORE);
	/* The bootstrap's own scatter. */
	ck_assert_double_eq_tol(there.interval.low * back.interval.high, 1,
				0.01);
}
END_TEST

/* 95 % means that a difference is seen in 5 of 100 cases where there is none.
 */
START_TEST(nothing_is_seen_where_nothing_is)
{
	enum { TRIALS = 400, N = 20 };
	struct noise n = {.model = (enum noise_model)_i, .random = 99};
	int seen = 0;

	for (int trial = 0; trial < TRIALS; trial++) {
		double a[N], b[N];
		struct ps_comparison c;

		for (unsigned i = 0; i < N; i++) {
			bool is_a_first = ps_compare_turn(2, i, 0) == 0;
			double first = noise_sample(&n, 1);
			double second = noise_sample(&n, 1);

			a[i] = is_a_first ? first : second;
			b[i] = is_a_first ? second : first;
		}
		ck_assert_int_eq(ps_compare_pairs(a, b, N, &scratch, &c), 0);
		seen += c.difference != PS_NO_DIFFERENCE;
	}
	/* 20 expected; 400 trials scatter by 4.4. */
	ck_assert_int_le(seen, 34);
}
END_TEST

START_TEST(what_has_no_ratio_is_refused)
{
	static const double a[] = {1, 2, 3}, zero[] = {0, 0, 0};
	static const double some[] = {0, 1, 1};
	struct ps_comparison c = {.ratio = 42};
	struct ps_location l;

	ck_assert_int_eq(ps_compare_pairs(a, some, 3, &scratch, &c), -EDOM);
	ck_assert_int_eq(ps_compare_pairs(zero, a, 3, &scratch, &c), -EDOM);
	ck_assert_int_eq(ps_compare_pairs(a, a, 1, &scratch, &c), -ENODATA);
	ck_assert_double_eq(c.ratio, 42);
	ck_assert_int_eq(ps_compare_location(a, 3, some, 3, &scratch, &l),
			 -EDOM);
	/* Nothing on both sides is as much on both sides. */
	ck_assert_int_eq(ps_compare_pairs(zero, zero, 3, &scratch, &c), 0);
	ck_assert_double_eq(c.ratio, 1);
	ck_assert_int_eq(ps_compare_location(zero, 3, zero, 2, &scratch, &l),
			 0);
	ck_assert_double_eq(l.value, 0);
}
END_TEST

START_TEST(separate_samples_need_no_pairs)
{
	static const double a[] = {1, 1.1, 0.9, 1, 1.05};
	static const double b[] = {2, 2.2, 1.9};
	struct ps_location l;

	ck_assert_int_eq(ps_compare_location(a, 5, b, 3, &scratch, &l), 0);
	ck_assert_double_eq_tol(exp(l.value), 2.02, 0.03);
	ck_assert_double_gt(l.error, 0);
}
END_TEST

START_TEST(everyone_is_everywhere_equally_often)
{
	unsigned subjects = (unsigned)_i;

	for (unsigned place = 0; place < subjects; place++) {
		unsigned times[8] = {0};

		for (unsigned round = 0; round < 2 * subjects; round++)
			times[ps_compare_turn(subjects, round, place)]++;
		for (unsigned i = 0; i < subjects; i++)
			ck_assert_uint_eq(times[i], 2);
	}
	for (unsigned round = 0; round < 20; round++) {
		unsigned seen = 0;

		for (unsigned place = 0; place < subjects; place++)
			seen |= 1u << ps_compare_turn(subjects, round, place);
		ck_assert_uint_eq(seen, (1u << subjects) - 1);
	}
}
END_TEST

START_TEST(two_alternate_as_abba)
{
	ck_assert_uint_eq(ps_compare_turn(2, 0, 0), 0);
	ck_assert_uint_eq(ps_compare_turn(2, 0, 1), 1);
	ck_assert_uint_eq(ps_compare_turn(2, 1, 0), 1);
	ck_assert_uint_eq(ps_compare_turn(2, 1, 1), 0);
}
END_TEST

/* A machine that is 30 % slower from the middle on, and one slow sample. */
START_TEST(drift_is_the_later_half_by_the_earlier)
{
	double values[21], few[3] = {2, 9, 3};
	double drift;

	for (int i = 0; i < 21; i++)
		values[i] = (i < 10 ? 1 : 1.3) * (1 + 0.001 * (i % 3));
	values[4] = 50;
	ck_assert_int_eq(ps_compare_drift(values, 21, &scratch, &drift), 0);
	ck_assert_double_eq_tol(drift, 0.3, 0.003);
	for (int i = 0; i < 21; i++)
		values[i] = 1 / values[i];
	ck_assert_int_eq(ps_compare_drift(values, 21, &scratch, &drift), 0);
	ck_assert_double_eq_tol(drift, 1 / 1.3 - 1, 0.003);
	ck_assert_int_eq(ps_compare_drift(few, 3, &scratch, &drift), 0);
	ck_assert_double_eq_tol(drift, 0.5, 1e-9);
}
END_TEST

START_TEST(drift_of_noise_is_small_and_of_little_unknown)
{
	struct noise n = {.model = NOISE_NORMAL, .random = 5};
	double values[200];
	double drift = 7;

	for (int i = 0; i < 200; i++)
		values[i] = noise_sample(&n, 1);
	ck_assert_int_eq(ps_compare_drift(values, 200, &scratch, &drift), 0);
	ck_assert_double_lt(fabs(drift), 0.02);
	drift = 7;
	ck_assert_int_eq(ps_compare_drift(values, 1, &scratch, &drift),
			 -ENODATA);
	values[3] = 0;
	ck_assert_int_eq(ps_compare_drift(values, 20, &scratch, &drift), -EDOM);
	ck_assert_double_eq(drift, 7);
}
END_TEST

Suite *compare_suite(void);

Suite *
compare_suite(void)
{
	Suite *s = suite_create("compare");
	TCase *c = tcase_create("ratio");
	TCase *o = tcase_create("order");

	tcase_add_checked_fixture(c, start, end);
	tcase_add_test(c, pairs_take_drift_out);
	tcase_add_test(c, swapping_sides_inverts);
	tcase_add_loop_test(c, nothing_is_seen_where_nothing_is, 0,
			    NOISE_MODELS);
	tcase_add_test(c, what_has_no_ratio_is_refused);
	tcase_add_test(c, separate_samples_need_no_pairs);
	tcase_add_test(c, drift_is_the_later_half_by_the_earlier);
	tcase_add_test(c, drift_of_noise_is_small_and_of_little_unknown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_loop_test(o, everyone_is_everywhere_equally_often, 1, 7);
	tcase_add_test(o, two_alternate_as_abba);
	suite_add_tcase(s, o);
	return s;
}
