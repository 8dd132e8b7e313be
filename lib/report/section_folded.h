/* SPDX-License-Identifier: MIT */
/*
 * section_folded - the call tree of sections as flame graphs read it
 */
#ifndef PS_REPORT_SECTION_FOLDED_H
#define PS_REPORT_SECTION_FOLDED_H

#include "report/view.h"

/* "process;outer;inner 1234": root first, then self time in nanoseconds. */
void ps_section_folded(const struct ps_view *view, struct ps_text *out);

/* "process;outer;inner OLD NEW", of the paths that have any; 0 or -ENOMEM. */
int ps_section_folded_both(const struct ps_view *old, const struct ps_view *new,
			   struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_SECTION_FOLDED_H */
