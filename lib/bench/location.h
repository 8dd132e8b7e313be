/* SPDX-License-Identifier: MIT */
/*
 * location - where samples lie, and how surely: mean or trimmed mean
 *
 * Pure functions on arrays in ascending order.
 */
#ifndef PS_LOCATION_H
#define PS_LOCATION_H

#include "base/base.h"

/* Of the sorted samples, this part is left out at each end. */
#define PS_LOCATION_TRIM 0.2

struct ps_interval {
	double low;
	double high;
};

struct ps_location {
	double value;
	double error;	/* standard error; 0 when all kept values are one */
	double freedom; /* degrees, for Student's t */
};

/*
 * Mean of what is left after cutting floor(trim * n) values at each end, and
 * Yuen's (1974) standard error from the winsorized ones; trim 0 is the plain
 * mean.  0, or -ENODATA with fewer than two values left.  O(n).
 */
int ps_location_of(const double *sorted, size_t n, double trim,
		   struct ps_location *out);

/*
 * b - a, by Welch and Yuen: errors added, degrees of freedom by Satterthwaite.
 */
struct ps_location ps_location_difference(const struct ps_location *a,
					  const struct ps_location *b);

/* Two-sided interval by Student's t; confidence in (0, 1). */
struct ps_interval ps_location_interval(const struct ps_location *l,
					double confidence);

/*
 * The same by bootstrap: quantiles of (m* - m) / error* over resamples, which
 * follow the skew of the data where Student's t assumes there is none.
 * Resamples are drawn from `seed` (not 0), so the same samples give the same
 * interval.  `work` holds ps_location_bootstrap_bytes(n).  0, or -ENODATA
 * with fewer than PS_BOOTSTRAP_LEAST samples.  O(n x 4000), 3 ms for 100.
 */
enum { PS_BOOTSTRAP_LEAST = 6, PS_BOOTSTRAP_MOST = 100000 };
size_t ps_location_bootstrap_bytes(size_t n);
int ps_location_bootstrap(const double *sorted, size_t n, double trim,
			  double confidence, uint64_t seed, void *work,
			  struct ps_interval *out);

/*
 * Value at quantile q of the sorted samples, interpolated between neighbours
 * (definition 7 of Hyndman and Fan 1996, as in R and NumPy); n > 0.
 */
double ps_location_quantile(const double *sorted, size_t n, double q);

#endif /* PS_LOCATION_H */
