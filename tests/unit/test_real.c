/* SPDX-License-Identifier: MIT */
/*
 * test_real - logarithm and exponentials against libm
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "measure/real.h"

/* The promise of real.h. */
static const double tolerance = 1e-14;

static void
check(double x, double got, double expected)
{
	/* Denormal results have no relative precision. */
	if (fabs(got - expected) > tolerance * fabs(expected) + 0x1p-1073)
		ck_abort_msg("at %.17g: %.17g instead of %.17g", x, got,
			     expected);
}

START_TEST(log_agrees_with_libm)
{
	for (double x = 1e-320; x < 1e308; x *= 1.0137)
		check(x, ps_log(x), log(x));
	for (double d = 1e-16; d < 0.9; d *= 1.1) { /* close to 1 */
		check(1 + d, ps_log(1 + d), log(1 + d));
		check(1 - d, ps_log(1 - d), log(1 - d));
	}
	for (int i = 1; i < 100000; i++) {
		double uniform = (double)i / 100000;

		check(uniform, ps_log(uniform), log(uniform));
	}
}
END_TEST

START_TEST(log_at_its_limits)
{
	ck_assert(ps_log(1) == 0);
	ck_assert(ps_log(0) == -INFINITY);
	ck_assert(ps_log(-0.0) == -INFINITY);
	ck_assert(ps_log(INFINITY) == INFINITY);
	ck_assert(isnan(ps_log(-1)));
	ck_assert(isnan(ps_log(NAN)));
}
END_TEST

START_TEST(exp_agrees_with_libm)
{
	for (double x = -745; x < 709.7; x += 0.0317)
		check(x, ps_exp(x), exp(x));
	for (double x = 1e-300; x < 1; x *= 3) {
		check(x, ps_exp(x), exp(x));
		check(-x, ps_exp(-x), exp(-x));
	}
}
END_TEST

START_TEST(exp_at_its_limits)
{
	ck_assert(ps_exp(0) == 1);
	ck_assert(ps_exp(INFINITY) == INFINITY);
	ck_assert(ps_exp(-INFINITY) == 0);
	ck_assert(ps_exp(709.9) == INFINITY);
	ck_assert(ps_exp(1e300) == INFINITY);
	ck_assert(ps_exp(-1e300) == 0);
	ck_assert(isnan(ps_exp(NAN)));
}
END_TEST

/* p = 1 - exp(-size / interval): small for nearly every block. */
START_TEST(expm1_agrees_with_libm)
{
	for (double x = 1e-300; x < 700; x *= 1.013) {
		check(x, ps_expm1(x), expm1(x));
		check(-x, ps_expm1(-x), expm1(-x));
	}
	for (double x = -1; x < 1; x += 0.0001) /* over both its formulas */
		check(x, ps_expm1(x), expm1(x));
}
END_TEST

START_TEST(expm1_at_its_limits)
{
	ck_assert(ps_expm1(0) == 0);
	ck_assert(ps_expm1(-INFINITY) == -1);
	ck_assert(ps_expm1(INFINITY) == INFINITY);
	ck_assert(isnan(ps_expm1(NAN)));
}
END_TEST

START_TEST(sqrt_is_the_instruction)
{
	for (double x = 1e-300; x < 1e300; x *= 7.3)
		ck_assert(ps_sqrt(x) == sqrt(x));
	ck_assert(isnan(ps_sqrt(-1)));
}
END_TEST

Suite *real_suite(void);

Suite *
real_suite(void)
{
	Suite *s = suite_create("real");
	TCase *all = tcase_create("all");

	tcase_add_test(all, log_agrees_with_libm);
	tcase_add_test(all, log_at_its_limits);
	tcase_add_test(all, exp_agrees_with_libm);
	tcase_add_test(all, exp_at_its_limits);
	tcase_add_test(all, expm1_agrees_with_libm);
	tcase_add_test(all, expm1_at_its_limits);
	tcase_add_test(all, sqrt_is_the_instruction);
	suite_add_tcase(s, all);
	return s;
}
