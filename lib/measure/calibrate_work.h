/* SPDX-License-Identifier: MIT */
/*
 * calibrate_work - repetitions of vector add or matrix multiply, of which the
 * best counts
 */
#ifndef PS_CALIBRATE_WORK_H
#define PS_CALIBRATE_WORK_H

#include "base/base.h"

/* Floats between arrays: keeps them off one set of L1. */
enum { PS_WORK_SKEW = 272 };

enum ps_work_kind {
	PS_WORK_ADD,
	PS_WORK_ADD_STREAMED,
	PS_WORK_ADD_FLUSHED,
	PS_WORK_MULTIPLY
};

struct ps_work {
	enum ps_work_kind kind;
	uint32_t turns;	 /* within one repetition */
	size_t n;	 /* floats an array, or rows of a matrix */
	float *memory;	 /* three arrays of n, or 3 n x n */
	void *workspace; /* of PS_WORK_MULTIPLY */
};

/* What a stage may take. */
struct ps_effort {
	uint32_t repeats;      /* after the first, which is dropped */
	uint64_t until_cpu_ns; /* of this thread; one repetition is made */
};

/* What three arrays of n take, with what lies between them. */
size_t ps_work_floats(size_t n);

/* Whether the CPU time is spent. */
bool ps_effort_is_over(const struct ps_effort *effort);

/* STREAM's count of the best repetition; of the adding kinds. */
double ps_work_bytes_per_s(const struct ps_work *w,
			   const struct ps_effort *effort);

/* The same of PS_WORK_MULTIPLY. */
double ps_work_flops(const struct ps_work *w, const struct ps_effort *effort);

#endif /* PS_CALIBRATE_WORK_H */
