/* SPDX-License-Identifier: MIT */
/*
 * student - quantiles of Student's t
 *
 * Pure; libm-free like the rest of lib.
 */
#ifndef PS_STUDENT_H
#define PS_STUDENT_H

#include "base/base.h"

/*
 * P(T <= t) with `freedom` >= 1 degrees of freedom, which need not be whole.
 * Error below 1e-10.
 */
double ps_student_probability(double t, double freedom);

/*
 * The t that P(T <= t) = probability has, 0.5 <= probability < 1; relative
 * error below 1e-8.  About 20 us.
 */
double ps_student_quantile(double probability, double freedom);

#endif /* PS_STUDENT_H */
