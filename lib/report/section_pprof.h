/* SPDX-License-Identifier: MIT */
/*
 * section_pprof - the call tree of sections as profile.proto, uncompressed
 */
#ifndef PS_REPORT_SECTION_PPROF_H
#define PS_REPORT_SECTION_PPROF_H

#include "report/view.h"

struct ps_section_pprof {
	struct ps_text *out;
	uint32_t strings;  /* that were written */
	uint32_t sections; /* each is a function and a location */
	bool is_described;
};

/* Begin a profile; everything is written to `out` as it comes. */
void ps_section_pprof_begin(struct ps_section_pprof *p, struct ps_text *out);
/*
 * One sample a path, with two values: its calls and its own time in
 * nanoseconds, which is shown first.  A section is a function, with the file
 * and line of its first mark.  sign is 1, or -1 for a profile to be subtracted.
 */
void ps_section_pprof_add(struct ps_section_pprof *p,
			  const struct ps_view *view, int sign);

#endif /* PS_REPORT_SECTION_PPROF_H */
