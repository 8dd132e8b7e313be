/* SPDX-License-Identifier: MIT */
/*
 * section_trace - the events of PERFSHIM_EVENTS as Chrome trace JSON
 */
#ifndef PS_REPORT_SECTION_TRACE_H
#define PS_REPORT_SECTION_TRACE_H

#include "report/view.h"

/* A completed call. */
struct ps_trace_event {
	uint64_t number;   /* counts from 0 */
	uint64_t begun_ns; /* since the recording began */
	uint64_t ended_ns;
	uint32_t section; /* row in SECTIONS */
	const char *name;
	uint32_t tid;
	bool is_span; /* outside the nesting */
};

/* Row `row` of EVENTS; false when it is none that is whole. */
bool ps_section_event_at(const struct ps_view *view, uint32_t row,
			 struct ps_trace_event *out);

/*
 * The JSON object form of the Trace Event Format: complete events ("X") for
 * regions, asynchronous pairs ("b", "e") for spans, times in microseconds since
 * the start of the recording.  0, or -ENODATA: the recording has no events.
 */
int ps_section_trace(const struct ps_view *view, struct ps_text *out);

#endif /* PS_REPORT_SECTION_TRACE_H */
