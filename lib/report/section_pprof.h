/* SPDX-License-Identifier: MIT */
/*
 * section_pprof - the call tree of sections as profile.proto, uncompressed
 */
#ifndef PS_REPORT_SECTION_PPROF_H
#define PS_REPORT_SECTION_PPROF_H

#include "report/view.h"

/*
 * One sample a path, with two values: its calls and its own time in
 * nanoseconds, which is shown first.  A section is a function, with the file
 * and line of its first mark.
 */
void ps_section_pprof(const struct ps_view *view, struct ps_text *out);

#endif /* PS_REPORT_SECTION_PPROF_H */
