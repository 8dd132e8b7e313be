/* SPDX-License-Identifier: MIT */
/*
 * summary - what there is to say about one set of samples
 *
 * Outliers are counted, never dropped: a tail is part of what was measured.
 */
#include <errno.h>
#include <string.h>

#include "bench/summary.h"
#include "measure/stat.h"

static const uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

struct ps_interval
ps_summary_fences(const double *sorted, size_t n, double ranges)
{
	double low = ps_location_quantile(sorted, n, 0.25);
	double high = ps_location_quantile(sorted, n, 0.75);

	PS_ASSERT(low <= high && ranges >= 0);
	return (struct ps_interval){low - ranges * (high - low),
				    high + ranges * (high - low)};
}

static size_t
count_outside(const double *sorted, size_t n, double ranges)
{
	struct ps_interval inside = ps_summary_fences(sorted, n, ranges);
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += sorted[i] < inside.low || sorted[i] > inside.high;
	return count;
}

static int
mean_interval(const double *sorted, size_t n, struct ps_scratch *scratch,
	      struct ps_interval *out)
{
	struct ps_location mean;
	void *work;

	*out = (struct ps_interval){__builtin_nan(""), __builtin_nan("")};
	if (ps_location_of(sorted, n, 0, &mean) != 0)
		return 0;
	if (n < PS_BOOTSTRAP_LEAST || n > PS_BOOTSTRAP_MOST) {
		*out = ps_location_interval(&mean, PS_SUMMARY_CONFIDENCE);
		return 0;
	}
	work = ps_scratch_alloc(scratch, ps_location_bootstrap_bytes(n));
	if (work == NULL)
		return -ENOMEM;
	return ps_location_bootstrap(sorted, n, 0, PS_SUMMARY_CONFIDENCE, seed,
				     work, out);
}

static int
moments(const double *samples, size_t n, struct ps_summary *out)
{
	struct ps_stat s = {0};

	for (size_t i = 0; i < n; i++) {
		if (!__builtin_isfinite(samples[i]))
			return -EDOM;
		ps_stat_record(&s, samples[i]);
	}
	out->count = n;
	out->mean = s.mean;
	out->min = s.min;
	out->max = s.max;
	if (ps_stat_deviation(&s, &out->deviation) != 0)
		out->deviation = __builtin_nan("");
	return 0;
}

int
ps_summarize(const double *samples, size_t n, struct ps_scratch *scratch,
	     struct ps_summary *out)
{
	struct ps_summary s = {0};
	double *sorted;
	double *distances;
	int error;

	if (n == 0)
		return -ENODATA;
	error = moments(samples, n, &s);
	if (error != 0)
		return error;
	sorted = ps_scratch_alloc(scratch, 2 * n * sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	distances = sorted + n;
	memcpy(distances, samples, n * sizeof(*sorted));
	error = ps_stat_mad(distances, n, &s.median, &s.mad);
	if (error != 0)
		return error;
	memcpy(sorted, samples, n * sizeof(*sorted));
	ps_stat_sort(sorted, n);
	PS_ASSERT(sorted[0] <= sorted[n - 1]);
	s.p95 = ps_location_quantile(sorted, n, 0.95);
	s.p99 = ps_location_quantile(sorted, n, 0.99);
	s.outliers = count_outside(sorted, n, 1.5);
	s.severe = count_outside(sorted, n, 3);
	PS_ASSERT(s.severe <= s.outliers);
	error = mean_interval(sorted, n, scratch, &s.mean_interval);
	if (error == 0)
		*out = s;
	return error;
}
