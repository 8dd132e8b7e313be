/* SPDX-License-Identifier: MIT */
/*
 * compare - how many times more B needs than A
 *
 * All of it is about ratios: logarithms of the samples are compared, and the
 * result is turned back.  Samples must be greater than 0, or all of them 0.
 */
#ifndef PS_COMPARE_H
#define PS_COMPARE_H

#include "base/scratch.h"
#include "bench/location.h"

#define PS_COMPARE_CONFIDENCE 0.95

enum ps_difference {
	PS_NO_DIFFERENCE, /* the interval holds 1 */
	PS_B_IS_LESS,
	PS_B_IS_MORE,
};

struct ps_comparison {
	size_t pairs;
	double ratio; /* B / A: 1.08 is 8 % more */
	struct ps_interval interval;
	enum ps_difference difference;
};

/*
 * Of n pairs a[i], b[i] that were taken together: the 20 % trimmed mean of
 * log(b / a), its 95 % interval by bootstrap (by Student's t with fewer than
 * 6 pairs).  0; -ENODATA with fewer than 2 pairs, -EDOM when a sample is not
 * a number above 0, -ENOMEM.
 */
int ps_compare_pairs(const double *a, const double *b, size_t n,
		     struct ps_scratch *scratch, struct ps_comparison *out);

/* The location of log(b / a) itself, of pairs and of separate samples. */
int ps_compare_paired_location(const double *a, const double *b, size_t n,
			       struct ps_scratch *scratch,
			       struct ps_location *out);
int ps_compare_location(const double *a, size_t a_count, const double *b,
			size_t b_count, struct ps_scratch *scratch,
			struct ps_location *out);

/*
 * How much more the later of n samples, in the order of time, are than the
 * earlier: the halves against each other, 0.1 for 10 % more; of fewer than 6
 * the last against the first.  -ENODATA with fewer than 2, -EDOM, -ENOMEM as
 * above.
 */
int ps_compare_drift(const double *values, size_t n, struct ps_scratch *scratch,
		     double *out);

/*
 * Who is at `place` of a round, 0 <= place < subjects: rounds come in twos,
 * the second in the opposite order of the first, and each two start one
 * further on.  Two subjects: AB BA AB BA.  After 2 x subjects rounds everyone
 * was at every place equally often, so a steady drift favours nobody.
 */
unsigned ps_compare_turn(unsigned subjects, unsigned round, unsigned place);

#endif /* PS_COMPARE_H */
