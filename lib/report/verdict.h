/* SPDX-License-Identifier: MIT */
/*
 * verdict - what a recording says, in a few plain sentences
 *
 * Where the memory is, where the time is, what to look at first, what is
 * uncertain; the text report and the page say the same words.
 */
#ifndef PS_REPORT_VERDICT_H
#define PS_REPORT_VERDICT_H

#include "report/view.h"

enum { PS_VERDICT_LINES = 8, PS_VERDICT_BYTES = 1024 };

struct ps_verdict {
	unsigned count;
	struct {
		const char *about; /* "memory", "time", "first", "uncertain" */
		char text[PS_VERDICT_BYTES]; /* sentences, fit for a terminal */
	} line[PS_VERDICT_LINES];
};

/* `names` is room for one stack. */
void ps_verdict(const struct ps_view *view, struct ps_symbols *symbols,
		struct ps_stack_names *names, struct ps_verdict *out);

#endif /* PS_REPORT_VERDICT_H */
