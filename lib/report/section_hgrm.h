/* SPDX-License-Identifier: MIT */
/*
 * section_hgrm - a section's percentiles as HdrHistogram prints them
 */
#ifndef PS_REPORT_SECTION_HGRM_H
#define PS_REPORT_SECTION_HGRM_H

#include "report/view.h"

/* How long the calls of a section took, all its threads added up. */
struct ps_distribution {
	_Atomic uint32_t *histogram; /* see measure/hist.h */
	uint64_t over;
	uint64_t max;
	uint64_t min;
	uint64_t count;
	double tick_ms;
};

/* Of a row of SECTIONS; 0 or -ENOMEM. */
int ps_section_distribution(const struct ps_reader *reader, uint32_t section,
			    struct ps_scratch *scratch,
			    struct ps_distribution *out);

/*
 * The distribution of a section's calls in milliseconds, as plotters of .hgrm
 * files read it.  0, -ENOENT when there is no section of that name, -ENOMEM.
 */
int ps_section_hgrm(const struct ps_view *view, const char *section,
		    struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_SECTION_HGRM_H */
