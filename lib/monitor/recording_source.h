/* SPDX-License-Identifier: MIT */
/*
 * recording_source - the figures of a recording, as rules ask for them
 *
 * Sums over the rows of all threads, of a recording that may be alive.  Errors
 * of a section NAME are the calls of the section NAME:error (PERFSHIM_ERROR).
 */
#ifndef PS_MONITOR_RECORDING_SOURCE_H
#define PS_MONITOR_RECORDING_SOURCE_H

#include "monitor/window.h"
#include "record/reader.h"

/* Zeroed by the caller, or added to. */
void ps_recording_calls(const struct ps_reader *r, uint32_t section,
			struct ps_calls *out);
uint64_t ps_recording_errors(const struct ps_reader *r, uint32_t section);
const char *ps_recording_section(const struct ps_reader *r, uint32_t section);

/* Where every allocation is recorded, the samples say it exactly. */
static inline uint64_t
ps_recording_live_bytes(const struct ps_record_header *h)
{
	return ps_peek(h->sampling.mode == PS_SAMPLE_ALL
			   ? &h->heap.sampled_live_bytes
			   : &h->heap.live_bytes);
}

/* Heap, live blocks and failed allocations; NAN for others. */
double ps_recording_level(const struct ps_reader *r, enum ps_subject subject);

#endif /* PS_MONITOR_RECORDING_SOURCE_H */
