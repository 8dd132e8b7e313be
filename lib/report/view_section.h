/* SPDX-License-Identifier: MIT */
/*
 * view_section - sections over all threads; a part of view
 */
#ifndef PS_REPORT_VIEW_SECTION_H
#define PS_REPORT_VIEW_SECTION_H

#include "report/view.h"

/* Fill in sections, section_count and section_calls; 0 or -ENOMEM. */
int ps_view_sections(struct ps_view *v, struct ps_scratch *scratch);

#endif /* PS_REPORT_VIEW_SECTION_H */
