/* SPDX-License-Identifier: MIT */
/*
 * pprof - the sites as profile.proto, uncompressed
 *
 * The message perftools.profiles.Profile of github.com/google/pprof: seven
 * values a sample (allocations, bytes, both at the peak and live, temporary),
 * mappings with build-ids, functions, lines, inlined frames, and the labels
 * thread, section and process where they are known.
 */
#ifndef PS_REPORT_PPROF_H
#define PS_REPORT_PPROF_H

#include "report/view.h"

struct ps_pprof;

/*
 * Begin a profile; everything is written to `out` as it comes.  The default
 * value is the one that viewers show first.  NULL: no memory.
 */
struct ps_pprof *ps_pprof_begin(struct ps_scratch *scratch,
				enum ps_view_key shown_first,
				struct ps_text *out);

/*
 * Add a recording; its values are multiplied by `sign`: -1 for the base of a
 * comparison, whose samples are labelled as pprof labels them.  0 or -ENOMEM.
 */
int ps_pprof_add(struct ps_pprof *p, const struct ps_view *view,
		 struct ps_symbols *symbols, int sign);

/* 0, or -ENOMEM when any step of it found none. */
int ps_pprof_end(struct ps_pprof *p);

#endif /* PS_REPORT_PPROF_H */
