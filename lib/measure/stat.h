/* SPDX-License-Identifier: MIT */
/*
 * stat - mean, variance, median and spread of doubles
 *
 * Pure functions over the caller's storage.  One thread per ps_stat.
 */
#ifndef PS_STAT_H
#define PS_STAT_H

#include "base/base.h"

/* Running moments; all zero is the empty one. */
struct ps_stat {
	uint64_t count;
	double mean;
	double squares; /* sum of squared distances from the mean */
	double min;
	double max;
};

void ps_stat_record(struct ps_stat *s, double value);
/* As if everything in `from` had been recorded in `into`. */
void ps_stat_merge(struct ps_stat *into, const struct ps_stat *from);
/*
 * Sample variance (divided by n - 1) and its root.  0, or -ENODATA with
 * fewer than two values.
 */
int ps_stat_variance(const struct ps_stat *s, double *variance);
int ps_stat_deviation(const struct ps_stat *s, double *deviation);

/* Ascending, in place, O(n log n) always.  NaNs end up anywhere. */
void ps_stat_sort(double *values, size_t n);

/*
 * Median; sorts the array.  0, or -ENODATA when n is 0, -EDOM when a value is
 * NaN.
 */
int ps_stat_median(double *values, size_t n, double *median);

/*
 * Median, and the median of the absolute distances from it (MAD), unscaled;
 * 1.4826 times that estimates the deviation of normal data.  Replaces the
 * array by the distances, sorted.  Errors as above.
 */
int ps_stat_mad(double *values, size_t n, double *median, double *mad);

#endif /* PS_STAT_H */
