/* SPDX-License-Identifier: MIT */
/*
 * markers - what the marks in programs call
 */
#ifndef PS_SHIM_MARKERS_H
#define PS_SHIM_MARKERS_H

#include "base/base.h"

/* What a site's slot says; from SLOT_FIRST on, a section's number. */
enum { PS_SLOT_OFF = 1, PS_SLOT_FIRST = 2 };

/*
 * A region of the section in `slot`, which is on.  sp is the stack pointer of
 * who is marked, scope as in ps_section_begin.
 */
void ps_marker_begin(uintptr_t slot, uintptr_t scope, uintptr_t sp);
void ps_marker_end(uintptr_t slot, uintptr_t sp, ps_ticks now);

/* See ps_section_cost; both stay when they cannot be measured. */
void ps_markers_calibrate(double *pair_ns, double *inside_ns);

#endif /* PS_SHIM_MARKERS_H */
