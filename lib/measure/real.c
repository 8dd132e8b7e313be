/* SPDX-License-Identifier: MIT */
/*
 * real - square root, logarithm and exponential without libm
 *
 * log: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
 *   log m = 2 atanh(s),  s = (m - 1) / (m + 1),  |s| < 0.172,
 * by its odd series up to s^21, whose first left-out term is below 2^-60 of the
 * sum.  m - 1 is exact, so nothing is lost close to 1.
 *
 * exp: x = k log 2 + r with |r| <= log(2) / 2, log 2 in two parts so that k
 * times the first is exact; e^r - 1 by its Taylor series up to r^14 (the next
 * term is below 2^-61 of it).  expm1 for large x is exp - 1.
 *
 * Table-driven methods are twice as fast; at one call per sampled allocation
 * that is nothing, and tables cost cache.
 */
#include <string.h>

#include "measure/real.h"

/* log 2 = high + low; high has 21 trailing zero bits. */
static const double log2_high = 0x1.62e42feep-1;
static const double log2_low = 0x1.a39ef35793c76p-33;
static const double infinity = __builtin_inf();

enum { EXPONENT_BIAS = 1023, MANTISSA_BITS = 52 };
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)

static double
from_bits(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* x = 2^*exponent * returned, which is in [sqrt(1/2), sqrt(2)); x > 0. */
static double
split(double x, int *exponent)
{
	uint64_t bits;
	int e = -EXPONENT_BIAS;
	double m;

	if (x < 0x1p-1022) { /* subnormal: no leading one to count from */
		x *= 0x1p54;
		e -= 54;
	}
	memcpy(&bits, &x, sizeof(bits));
	e += (int)(bits >> MANTISSA_BITS);
	m = from_bits((bits & MANTISSA_MASK) | (uint64_t)EXPONENT_BIAS
						   << MANTISSA_BITS);
	if (m > 0x1.6a09e667f3bcdp0) {
		m /= 2;
		e++;
	}
	PS_ASSERT(m >= 0.7071 && m <= 1.4143);
	*exponent = e;
	return m;
}

double
ps_log(double x)
{
	static const double c[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,	 1.0 / 9,
				   1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17,
				   1.0 / 19, 1.0 / 21};
	double m, s, square, sum = 0;
	int e;

	if (!(x > 0))
		return x == 0 ? -infinity : __builtin_nan("");
	if (x == infinity)
		return x;
	m = split(x, &e);
	s = (m - 1) / (m + 1);
	square = s * s;
	for (int i = PS_COUNT(c) - 1; i >= 0; i--)
		sum = (sum + c[i]) * square;
	return e * log2_high + (2 * s + (2 * s * sum + e * log2_low));
}

/* e^r - 1 for |r| <= 0.35. */
static double
expm1_small(double r)
{
	/* 1 / 2!, 1 / 3!, ... 1 / 14!: a division costs more than all of it */
	static const double c[] = {
	    1.0 / 2,	       1.0 / 6,		1.0 / 24,
	    1.0 / 120,	       1.0 / 720,	1.0 / 5040,
	    1.0 / 40320,       1.0 / 362880,	1.0 / 3628800,
	    1.0 / 39916800,    1.0 / 479001600, 1.0 / 6227020800,
	    1.0 / 87178291200,
	};
	double sum = 0;

	PS_ASSERT(r > -0.36 && r < 0.36);
	for (int i = PS_COUNT(c) - 1; i >= 0; i--)
		sum = sum * r + c[i];
	return r * (sum * r) + r;
}

/* The nearest whole number of log 2 in x, |x| < 800. */
static int
octaves(double x)
{
	double k = x * 0x1.71547652b82fep0;

	PS_ASSERT(x > -800 && x < 800);
	return (int)(k < 0 ? k - 0.5 : k + 0.5);
}

double
ps_exp(double x)
{
	double r, y;
	int k, half;

	if (x != x)
		return x;
	if (x > 710)
		return infinity;
	if (x < -746)
		return 0;
	k = octaves(x);
	r = (x - k * log2_high) - k * log2_low;
	y = 1 + expm1_small(r);
	/* In two steps: 2^k alone may be out of range when y 2^k is not. */
	half = k / 2;
	PS_ASSERT(half > -EXPONENT_BIAS && k - half <= EXPONENT_BIAS);
	y *= from_bits((uint64_t)(half + EXPONENT_BIAS) << MANTISSA_BITS);
	return y *
	       from_bits((uint64_t)(k - half + EXPONENT_BIAS) << MANTISSA_BITS);
}

double
ps_expm1(double x)
{
	if (x > -0.35 && x < 0.35)
		return expm1_small(x);
	return ps_exp(x) - 1;
}
