/* SPDX-License-Identifier: MIT */
/*
 * section_cost - what a pair of marks costs on this machine
 */
#ifndef PS_PROFILE_SECTION_COST_H
#define PS_PROFILE_SECTION_COST_H

#include "base/base.h"

/*
 * One begin and end pair, and the part of it that lies inside the interval it
 * measures, in ns; both are medians.  About 0.1 ms, any thread that is alone in
 * here, no recording needed.  0, or -ENOMEM; then both are untouched.
 */
int ps_section_cost(double ns_per_tick, double *pair_ns, double *inside_ns);

#endif /* PS_PROFILE_SECTION_COST_H */
