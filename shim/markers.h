/* SPDX-License-Identifier: MIT */
/*
 * markers - what the marks in programs call
 */
#ifndef PS_SHIM_MARKERS_H
#define PS_SHIM_MARKERS_H

#include "base/base.h"

/*
 * Cost of a begin and end pair and the part of it that lies inside the
 * interval, in ns; the medians of some hundred pairs, on this thread's own
 * tables but in none of the recording's rows.
 */
void ps_markers_calibrate(double *pair_ns, double *inside_ns);

#endif /* PS_SHIM_MARKERS_H */
