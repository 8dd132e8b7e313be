/* SPDX-License-Identifier: MIT */
/*
 * roofline - how near a section came to what the machine can do
 *
 * The model of Williams, Waterman and Patterson (CACM 52, 2009): with f FLOPs
 * a byte, code can do no more than min(peak, f x bandwidth).  Which of the two
 * it is says whether the code is bound by memory or by computing.  Ceilings are
 * measured ones: the multiply-add peak, and vector add's bandwidth in memory
 * (the recording does not know which cache the bytes came from, so a section
 * that works in a cache may be above 100 %).
 *
 * One core: a section of several threads at once is compared with one of them.
 */
#ifndef PS_ROOFLINE_H
#define PS_ROOFLINE_H

#include "measure/calibration.h"

enum ps_roofline_bound {
	PS_BOUND_BY_MEMORY, /* bytes are what takes the time */
	PS_BOUND_BY_COMPUTING,
};

struct ps_roofline {
	enum ps_roofline_bound bound;
	double share;	/* of the ceiling; 1 is all that can be had */
	double ceiling; /* per second: bytes when bound by memory and no FLOPs
			   were declared, else FLOPs */
	double rate;	/* what the section did, in the same unit */
	double flops_a_byte; /* 0 without bytes or without FLOPs */
};

/*
 * What `bytes` moved and `flops` done in `seconds` are worth on the machine of
 * `c`.  0, or -ENODATA, and then *out is untouched: neither bytes nor FLOPs, no
 * time, a figure that is not finite or negative, or the ceiling that is needed
 * was not measured.
 */
int ps_roofline(const struct ps_calibration *c, double bytes, double flops,
		double seconds, struct ps_roofline *out);

#endif /* PS_ROOFLINE_H */
