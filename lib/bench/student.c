/* SPDX-License-Identifier: MIT */
/*
 * student - quantiles of Student's t
 *
 * P(T <= t) = 1 - I_x(f/2, 1/2) / 2 with x = f / (f + t^2), t >= 0.  I, the
 * regularized incomplete beta function, is its continued fraction (DLMF
 * 8.17.22) by Lentz's method, taken at the side where it converges fast.  log
 * gamma is Stirling's series after the argument was raised above 10.
 *
 * The quantile halves an interval: sixty evaluations, no bad starting point.
 * The usual closed formulas are off by whole percents where it matters here:
 * few degrees of freedom and tails of a thousandth.
 */
#include "bench/student.h"
#include "measure/real.h"

enum { FRACTION_STEPS = 300, HALVINGS = 60 };

static double
log_gamma(double x)
{
	static const double half_log_2pi = 0.91893853320467274178;
	double product = 1;
	double inverse;

	PS_ASSERT(x > 0);
	while (x < 10) {
		product *= x;
		x += 1;
	}
	inverse = 1 / (x * x);
	return (x - 0.5) * ps_log(x) - x + half_log_2pi +
	       (1.0 / 12 - inverse * (1.0 / 360 - inverse / 1260)) / x -
	       ps_log(product);
}

/* What Lentz's method keeps from becoming 0. */
static double
not_zero(double x)
{
	return x > -1e-300 && x < 1e-300 ? 1e-300 : x;
}

static double
beta_fraction(double a, double b, double x)
{
	double c = 1;
	double d = 1 / not_zero(1 - (a + b) * x / (a + 1));
	double result = d;

	PS_ASSERT(a > 0 && b > 0);
	for (int m = 1; m <= FRACTION_STEPS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x /
			     ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 / not_zero(1 + even * d);
		c = not_zero(1 + even / c);
		result *= d * c;
		d = 1 / not_zero(1 + odd * d);
		c = not_zero(1 + odd / c);
		step = d * c;
		result *= step;
		if (step > 1 - 1e-15 && step < 1 + 1e-15)
			break;
	}
	return result;
}

static double
incomplete_beta(double a, double b, double x)
{
	double front;

	PS_ASSERT(x >= 0 && x <= 1);
	if (x <= 0 || x >= 1)
		return x;
	front = ps_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
		       a * ps_log(x) + b * ps_log(1 - x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double
ps_student_probability(double t, double freedom)
{
	double tail;

	PS_ASSERT(freedom >= 1);
	tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
	return t >= 0 ? 1 - tail / 2 : tail / 2;
}

double
ps_student_quantile(double probability, double freedom)
{
	double low = 0;
	double high = 1;

	PS_ASSERT(probability >= 0.5 && probability < 1);
	while (ps_student_probability(high, freedom) < probability)
		high *= 2;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2;

		if (ps_student_probability(middle, freedom) < probability)
			low = middle;
		else
			high = middle;
	}
	PS_ASSERT(low <= high);
	return (low + high) / 2;
}
