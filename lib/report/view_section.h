/* SPDX-License-Identifier: MIT */
/*
 * view_section - sections over all threads; a part of view
 */
#ifndef PS_REPORT_VIEW_SECTION_H
#define PS_REPORT_VIEW_SECTION_H

#include "report/view.h"

/* Fill in sections, section_count and section_calls, the nodes being there; 0
 * or -ENOMEM. */
int ps_view_sections(struct ps_view *v, struct ps_scratch *scratch);

/* Fill in nodes and node_count; 0 or -ENOMEM. */
int ps_view_tree(struct ps_view *v, struct ps_scratch *scratch);

/* What the marks of `pairs` direct children cost their parent. */
double ps_view_marks_s(const struct ps_view *v, uint64_t pairs);

/*
 * Sections that are functions without a mark (-finstrument-functions) get their
 * names; before this, they are "".  symbols may be NULL.  0 or -ENOMEM.
 */
int ps_view_name_functions(struct ps_view *v, struct ps_symbols *symbols,
			   struct ps_scratch *scratch);

#endif /* PS_REPORT_VIEW_SECTION_H */
