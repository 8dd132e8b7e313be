/* SPDX-License-Identifier: MIT */
/*
 * summary - what there is to say about one set of samples
 */
#ifndef PS_SUMMARY_H
#define PS_SUMMARY_H

#include "base/scratch.h"
#include "bench/location.h"

#define PS_SUMMARY_CONFIDENCE 0.95

struct ps_summary {
	size_t count;
	double mean;
	double deviation; /* NAN with one sample */
	double min;
	double max;
	double median;
	double mad; /* median distance from the median, unscaled */
	double p95;
	double p99;
	size_t outliers; /* beyond 1.5 interquartile ranges (Tukey) ... */
	size_t severe;	 /* ... of which beyond 3; none is left out */
	/* 95 % interval of the mean, by bootstrap; by Student's t with fewer
	 * than 6 or more than 100000 samples; NAN with one. */
	struct ps_interval mean_interval;
};

/*
 * 0; or -ENODATA without samples, -EDOM when one is NaN or infinite, -ENOMEM.
 * The scratch keeps a sorted copy.
 */
int ps_summarize(const double *samples, size_t n, struct ps_scratch *scratch,
		 struct ps_summary *out);

/* Whether a value would be counted as an outlier among them. */
struct ps_interval ps_summary_fences(const double *sorted, size_t n,
				     double ranges);

#endif /* PS_SUMMARY_H */
