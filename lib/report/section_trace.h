/* SPDX-License-Identifier: MIT */
/*
 * section_trace - the events of PERFSHIM_EVENTS as Chrome trace JSON
 */
#ifndef PS_REPORT_SECTION_TRACE_H
#define PS_REPORT_SECTION_TRACE_H

#include "report/view.h"

/*
 * The JSON object form of the Trace Event Format: complete events ("X") for
 * regions, asynchronous pairs ("b", "e") for spans, times in microseconds since
 * the start of the recording.  0, or -ENODATA: the recording has no events.
 */
int ps_section_trace(const struct ps_view *view, struct ps_text *out);

#endif /* PS_REPORT_SECTION_TRACE_H */
