/* SPDX-License-Identifier: MIT */
/*
 * diff - what changed between two recordings, and whether it is more than noise
 */
#ifndef PS_REPORT_DIFF_H
#define PS_REPORT_DIFF_H

#include "report/view.h"

struct ps_diff_side {
	const struct ps_view *view;
	struct ps_symbols *symbols;
};

/* Totals, then for each value the `top` stacks that changed most. */
int ps_diff_text(const struct ps_diff_side *old, const struct ps_diff_side *new,
		 uint32_t top, struct ps_scratch *scratch, struct ps_text *out);
/* "stack OLD NEW", for differential flame graphs. */
int ps_diff_folded(const struct ps_diff_side *old,
		   const struct ps_diff_side *new, enum ps_view_key key,
		   struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_DIFF_H */
