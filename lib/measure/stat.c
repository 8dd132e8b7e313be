/* SPDX-License-Identifier: MIT */
/*
 * stat - mean, variance, median and spread of doubles
 *
 * Running moments are Welford's (Technometrics 4, 1962): the difference from
 * the running mean is squared, not the value, so a nanosecond's scatter on top
 * of an hour survives.  Merging is Chan, Golub and LeVeque's formula.
 *
 * The median sorts: arrays here are small, and a heap sort needs no memory and
 * has no bad case, which quickselect has.
 */
#include <errno.h>

#include "measure/real.h"
#include "measure/stat.h"

void
ps_stat_record(struct ps_stat *s, double value)
{
	double before = value - s->mean;

	if (s->count == 0)
		s->min = s->max = value;
	s->count++;
	s->mean += before / (double)s->count;
	s->squares += before * (value - s->mean);
	s->min = PS_MIN(s->min, value);
	s->max = PS_MAX(s->max, value);
}

void
ps_stat_merge(struct ps_stat *into, const struct ps_stat *from)
{
	double distance = from->mean - into->mean;
	double share;

	if (from->count == 0)
		return;
	if (into->count == 0) {
		*into = *from;
		return;
	}
	PS_ASSERT(into->count + from->count > into->count);
	share = (double)from->count / (double)(into->count + from->count);
	into->squares +=
	    from->squares + distance * distance * share * (double)into->count;
	into->mean += distance * share;
	into->count += from->count;
	into->min = PS_MIN(into->min, from->min);
	into->max = PS_MAX(into->max, from->max);
}

int
ps_stat_variance(const struct ps_stat *s, double *variance)
{
	if (s->count < 2)
		return -ENODATA;
	PS_ASSERT(!(s->squares < 0)); /* NaN, after an infinity, may be */
	*variance = s->squares / (double)(s->count - 1);
	return 0;
}

int
ps_stat_deviation(const struct ps_stat *s, double *deviation)
{
	double variance;
	int error = ps_stat_variance(s, &variance);

	if (error == 0)
		*deviation = ps_sqrt(variance);
	return error;
}

static void
swap(double *a, double *b)
{
	double kept = *a;

	*a = *b;
	*b = kept;
}

/* Let values[at] sink to its place in the heap of n values. */
static void
sink(double *values, size_t at, size_t n)
{
	size_t child;

	PS_DEBUG_ASSERT(at < n || n == 0);
	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && values[child] < values[child + 1])
			child++;
		if (!(values[at] < values[child]))
			break;
		swap(&values[at], &values[child]);
		at = child;
	}
}

void
ps_stat_sort(double *values, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(values, i, n);
	for (size_t left = n; left > 1; left--) {
		swap(&values[0], &values[left - 1]);
		sink(values, 0, left - 1);
	}
}

static bool
has_nan(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i] != values[i])
			return true;
	}
	return false;
}

int
ps_stat_median(double *values, size_t n, double *median)
{
	if (n == 0)
		return -ENODATA;
	if (has_nan(values, n))
		return -EDOM;
	ps_stat_sort(values, n);
	PS_DEBUG_ASSERT(values[0] <= values[n - 1]);
	if (n % 2 != 0)
		*median = values[n / 2];
	else /* halves first: the sum of two large values may overflow */
		*median = values[n / 2 - 1] / 2 + values[n / 2] / 2;
	return 0;
}

int
ps_stat_mad(double *values, size_t n, double *median, double *mad)
{
	double middle;
	int error = ps_stat_median(values, n, &middle);

	if (error != 0)
		return error;
	for (size_t i = 0; i < n; i++)
		values[i] = __builtin_fabs(values[i] - middle);
	/* inf - inf is NaN: a median of infinity has no spread. */
	error = ps_stat_median(values, n, mad);
	if (error == 0)
		*median = middle;
	return error;
}
