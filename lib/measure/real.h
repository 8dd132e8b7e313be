/* SPDX-License-Identifier: MIT */
/*
 * real - square root, logarithm and exponential without libm
 *
 * The preload must not make its host load libm, and may run before libm's
 * IFUNCs are resolved.  Relative error of each below 1e-14 (test_real compares
 * with libm); limits and special values as in C.  Pure; callable anywhere.
 */
#ifndef PS_REAL_H
#define PS_REAL_H

#include "base/base.h"

/* One instruction, as long as errno is not asked for (-fno-math-errno). */
PS_INLINE double
ps_sqrt(double x)
{
	return __builtin_sqrt(x);
}

double ps_log(double x); /* natural; -inf at 0, NaN below */
double ps_exp(double x);
/* exp(x) - 1, accurate for small x, where exp(x) rounds to 1. */
double ps_expm1(double x);

#endif /* PS_REAL_H */
