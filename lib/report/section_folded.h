/* SPDX-License-Identifier: MIT */
/*
 * section_folded - the call tree of sections as flame graphs read it
 */
#ifndef PS_REPORT_SECTION_FOLDED_H
#define PS_REPORT_SECTION_FOLDED_H

#include "report/view.h"

/* "process;outer;inner 1234": root first, then self time in nanoseconds. */
void ps_section_folded(const struct ps_view *view, struct ps_text *out);

#endif /* PS_REPORT_SECTION_FOLDED_H */
