/* SPDX-License-Identifier: MIT */
/*
 * compare - how many times more B needs than A
 *
 * On a shared machine two runs next to each other are alike, two runs a minute
 * apart are not: the difference within a pair has a fraction of the scatter of
 * either side.  Pairs also make a test of two means, which would see the drift
 * as noise, unnecessary.
 */
#include <errno.h>

#include "bench/compare.h"
#include "measure/real.h"
#include "measure/stat.h"

enum { HALVES_LEAST = 6 };

static const uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

static bool
are_all_zero(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (values[i] != 0)
			return false;
	return true;
}

/* out[i] = log(values[i]), or -EDOM. */
static int
logarithms(const double *values, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!(values[i] > 0) || !__builtin_isfinite(values[i]))
			return -EDOM;
		out[i] = ps_log(values[i]);
	}
	return 0;
}

/* Logarithms of the pairs' ratios, ascending; 0 everywhere when all are 0. */
static int
sorted_log_ratios(const double *a, const double *b, size_t n,
		  struct ps_scratch *scratch, double **out)
{
	double *logs = ps_scratch_alloc(scratch, 2 * n * sizeof(*logs));
	int error = 0;

	if (logs == NULL)
		return -ENOMEM;
	*out = logs;
	if (are_all_zero(a, n) && are_all_zero(b, n))
		return 0; /* the scratch's memory is zero */
	error = logarithms(b, n, logs);
	if (error == 0)
		error = logarithms(a, n, logs + n);
	if (error != 0)
		return error;
	for (size_t i = 0; i < n; i++)
		logs[i] -= logs[n + i];
	ps_stat_sort(logs, n);
	return 0;
}

int
ps_compare_paired_location(const double *a, const double *b, size_t n,
			   struct ps_scratch *scratch, struct ps_location *out)
{
	double *logs;
	int error = sorted_log_ratios(a, b, n, scratch, &logs);

	if (error != 0)
		return error;
	return ps_location_of(logs, n, PS_LOCATION_TRIM, out);
}

static int
log_location(const double *values, size_t n, struct ps_scratch *scratch,
	     struct ps_location *out)
{
	double *logs = ps_scratch_alloc(scratch, n * sizeof(*logs));
	int error;

	if (logs == NULL)
		return -ENOMEM;
	error = logarithms(values, n, logs);
	if (error != 0)
		return error;
	ps_stat_sort(logs, n);
	return ps_location_of(logs, n, PS_LOCATION_TRIM, out);
}

int
ps_compare_location(const double *a, size_t a_count, const double *b,
		    size_t b_count, struct ps_scratch *scratch,
		    struct ps_location *out)
{
	struct ps_location x;
	struct ps_location y;
	int error;

	if (a_count >= 2 && b_count >= 2 && are_all_zero(a, a_count) &&
	    are_all_zero(b, b_count)) {
		*out = (struct ps_location){.freedom = 1};
		return 0;
	}
	error = log_location(a, a_count, scratch, &x);
	if (error == 0)
		error = log_location(b, b_count, scratch, &y);
	if (error == 0)
		*out = ps_location_difference(&x, &y);
	return error;
}

int
ps_compare_pairs(const double *a, const double *b, size_t n,
		 struct ps_scratch *scratch, struct ps_comparison *out)
{
	struct ps_interval interval;
	struct ps_location l;
	double *logs;
	void *work;
	int error = sorted_log_ratios(a, b, n, scratch, &logs);

	if (error == 0)
		error = ps_location_of(logs, n, PS_LOCATION_TRIM, &l);
	if (error != 0)
		return error;
	interval = ps_location_interval(&l, PS_COMPARE_CONFIDENCE);
	if (n >= PS_BOOTSTRAP_LEAST && n <= PS_BOOTSTRAP_MOST) {
		work =
		    ps_scratch_alloc(scratch, ps_location_bootstrap_bytes(n));
		if (work == NULL)
			return -ENOMEM;
		error = ps_location_bootstrap(logs, n, PS_LOCATION_TRIM,
					      PS_COMPARE_CONFIDENCE, seed, work,
					      &interval);
		PS_ASSERT(error == 0);
	}
	out->pairs = n;
	out->ratio = ps_exp(l.value);
	out->interval.low = ps_exp(interval.low);
	out->interval.high = ps_exp(interval.high);
	out->difference = interval.low > 0    ? PS_B_IS_MORE
			  : interval.high < 0 ? PS_B_IS_LESS
					      : PS_NO_DIFFERENCE;
	return 0;
}

int
ps_compare_drift(const double *values, size_t n, struct ps_scratch *scratch,
		 double *out)
{
	size_t half = n / 2;
	struct ps_location l;
	int error;

	_Static_assert(HALVES_LEAST >= 4, "each has a spread");
	if (n < 2)
		return -ENODATA;
	if (n < HALVES_LEAST) {
		if (!(values[0] > 0) || !(values[n - 1] > 0))
			return -EDOM;
		*out = values[n - 1] / values[0] - 1;
		return 0;
	}
	error = ps_compare_location(values, half, values + half, n - half,
				    scratch, &l);
	if (error == 0)
		*out = ps_expm1(l.value);
	return error;
}

unsigned
ps_compare_turn(unsigned subjects, unsigned round, unsigned place)
{
	unsigned at = round % 2 == 0 ? place : subjects - 1 - place;

	PS_ASSERT(place < subjects);
	return (at + round / 2) % subjects;
}
