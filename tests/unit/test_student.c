/* SPDX-License-Identifier: MIT */
/*
 * test_student - quantiles against closed forms and published tables
 */
#include <check.h>
#include <math.h>

#include "bench/student.h"

/* NIST/SEMATECH e-Handbook 1.3.6.7.2, and R's qt for the last three. */
static const struct {
	double probability;
	double freedom;
	double t;
} table[] = {
    {0.975, 1, 12.706204736},	{0.975, 2, 4.302652730},
    {0.975, 5, 2.570581836},	{0.99, 9, 2.821437925},
    {0.999, 5, 5.893429531},	{0.9995, 30, 3.645958635},
    {0.975, 1000, 1.962339081}, {0.95, 120, 1.657650899},
};

START_TEST(quantiles_of_the_tables)
{
	double t =
	    ps_student_quantile(table[_i].probability, table[_i].freedom);

	ck_assert_double_eq_tol(t / table[_i].t, 1, 1e-8);
}
END_TEST

/* One degree is Cauchy's distribution, two have a closed form as well. */
START_TEST(probability_with_few_degrees)
{
	for (double t = -20; t <= 20; t += 0.37) {
		ck_assert_double_eq_tol(ps_student_probability(t, 1),
					0.5 + atan(t) / M_PI, 1e-10);
		ck_assert_double_eq_tol(ps_student_probability(t, 2),
					0.5 + t / (2 * sqrt(2 + t * t)), 1e-10);
	}
}
END_TEST

START_TEST(quantile_inverts_probability)
{
	for (double f = 1; f < 500; f *= 1.7)
		for (double p = 0.5; p < 0.9999; p += 0.0317)
			ck_assert_double_eq_tol(
			    ps_student_probability(ps_student_quantile(p, f),
						   f),
			    p, 1e-9);
}
END_TEST

START_TEST(many_degrees_are_normal)
{
	ck_assert_double_eq_tol(ps_student_probability(1.5, 1e7),
				0.5 * erfc(-1.5 / sqrt(2)), 1e-6);
}
END_TEST

Suite *student_suite(void);

Suite *
student_suite(void)
{
	Suite *s = suite_create("student");
	TCase *c = tcase_create("quantile");

	tcase_add_loop_test(c, quantiles_of_the_tables, 0,
			    (int)PS_COUNT(table));
	tcase_add_test(c, probability_with_few_degrees);
	tcase_add_test(c, quantile_inverts_probability);
	tcase_add_test(c, many_degrees_are_normal);
	suite_add_tcase(s, c);
	return s;
}
