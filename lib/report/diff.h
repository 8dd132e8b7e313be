/* SPDX-License-Identifier: MIT */
/*
 * diff - what changed between two recordings, and whether it is more than noise
 */
#ifndef PS_REPORT_DIFF_H
#define PS_REPORT_DIFF_H

#include "report/paths.h"
#include "report/view.h"

struct ps_diff_side {
	const struct ps_view *view;
	struct ps_symbols *symbols;
};

enum { PS_DIFF_KEYS = PS_BY_TEMPORARY + 1 };

/* What changed in one stack, by enum ps_view_key. */
struct ps_diff_stack {
	double sum[2][PS_DIFF_KEYS]; /* old, new */
	double deviation[PS_DIFF_KEYS];
	bool is_sure[PS_DIFF_KEYS]; /* more than noise, among all stacks */
};

/* All stacks of both sides; NULL: no memory.  The sides must stay. */
struct ps_diff;
struct ps_diff *ps_diff_new(const struct ps_diff_side *old,
			    const struct ps_diff_side *new,
			    struct ps_scratch *scratch);
const struct ps_paths *ps_diff_paths(const struct ps_diff *d);
void ps_diff_stack(const struct ps_diff *d, uint32_t path,
		   struct ps_diff_stack *out);

/* Totals, then for each value the `top` stacks that changed most. */
int ps_diff_text(const struct ps_diff_side *old, const struct ps_diff_side *new,
		 uint32_t top, struct ps_scratch *scratch, struct ps_text *out);
/* "stack OLD NEW", for differential flame graphs. */
int ps_diff_folded(const struct ps_diff_side *old,
		   const struct ps_diff_side *new, enum ps_view_key key,
		   struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_DIFF_H */
