/* SPDX-License-Identifier: MIT */
/*
 * merge_header - room, and sums of headers and timelines; a part of merge
 */
#ifndef PS_REPORT_MERGE_HEADER_H
#define PS_REPORT_MERGE_HEADER_H

#include "record/reader.h"

/*
 * Tables with room for every row of every recording, and how long a recording
 * with these is; 0, or -ENOMEM when a table would have more rows than there are
 * numbers.  Rows that were dropped are the first recording's.
 */
int ps_merge_plan(struct ps_record_table tables[PS_TABLES],
		  const struct ps_reader *const *readers, uint32_t count,
		  uint64_t *bytes);

/* Add what a header counts; `h` began as a copy of another one. */
void ps_merge_header(struct ps_record_header *h,
		     const struct ps_record_header *from);

/*
 * Let the clock run from the first start to the last end; returns the seconds
 * of a step of the timeline.
 */
double ps_merge_clock(struct ps_record_header *h,
		      const struct ps_reader *const *readers, uint32_t count);

/* Add the levels of one recording where they were in real time. */
void ps_merge_timeline(struct ps_record_header *h,
		       const struct ps_reader *first, const struct ps_reader *r,
		       double step_s);

#endif /* PS_REPORT_MERGE_HEADER_H */
