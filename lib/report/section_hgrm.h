/* SPDX-License-Identifier: MIT */
/*
 * section_hgrm - a section's percentiles as HdrHistogram prints them
 */
#ifndef PS_REPORT_SECTION_HGRM_H
#define PS_REPORT_SECTION_HGRM_H

#include "report/view.h"

/*
 * The distribution of a section's calls in milliseconds, as plotters of .hgrm
 * files read it.  0, -ENOENT when there is no section of that name, -ENOMEM.
 */
int ps_section_hgrm(const struct ps_view *view, const char *section,
		    struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_SECTION_HGRM_H */
