/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/recording_source.h"

static const char error_suffix[] = ":error";

static void
add(const struct ps_record_section_stats *s, struct ps_calls *out)
{
	uint64_t total = ps_peek(&s->total_ticks);
	uint64_t self = ps_peek(&s->self_ticks);

	out->calls += ps_peek(&s->calls);
	out->over += ps_peek(&s->over);
	/* The total counts a recursion once, the calls count it all. */
	out->total_ticks += PS_MAX(total, self);
	out->max_ticks = PS_MAX(out->max_ticks, ps_peek(&s->max_ticks));
	ps_hist_merge(out->histogram, s->histogram);
}

void
ps_recording_calls(const struct ps_reader *r, uint32_t section,
		   struct ps_calls *out)
{
	for (uint32_t i = 0; i < r->count[PS_TABLE_SECTION_STATS]; i++) {
		const struct ps_record_section_stats *s =
		    ps_reader_row(r, PS_TABLE_SECTION_STATS, i);

		if (s != NULL && s->section == section &&
		    ps_peek(&s->thread) != UINT32_MAX)
			add(s, out);
	}
}

const char *
ps_recording_section(const struct ps_reader *r, uint32_t section)
{
	const struct ps_record_section *s =
	    ps_reader_entry(r, PS_TABLE_SECTIONS, section);

	return s == NULL ? "" : ps_reader_string(r, s->name);
}

static bool
is_errors_of(const char *name, const char *of)
{
	size_t length = strlen(of);

	return strncmp(name, of, length) == 0 &&
	       strcmp(name + length, error_suffix) == 0;
}

uint64_t
ps_recording_errors(const struct ps_reader *r, uint32_t section)
{
	const char *of = ps_recording_section(r, section);
	uint64_t errors = 0;
	uint32_t twin = 0;

	while (twin < r->count[PS_TABLE_SECTIONS] &&
	       !is_errors_of(ps_recording_section(r, twin), of))
		twin++;
	for (uint32_t i = 0; i < r->count[PS_TABLE_SECTION_STATS]; i++) {
		const struct ps_record_section_stats *s =
		    ps_reader_row(r, PS_TABLE_SECTION_STATS, i);

		if (s != NULL && s->section == twin &&
		    ps_peek(&s->thread) != UINT32_MAX)
			errors += ps_peek(&s->calls);
	}
	return errors;
}

static double
live_blocks(const struct ps_reader *r)
{
	int64_t blocks = 0;

	for (uint32_t i = 0; i < r->count[PS_TABLE_THREADS]; i++) {
		const struct ps_record_thread *t =
		    ps_reader_row(r, PS_TABLE_THREADS, i);

		for (unsigned c = 0; t != NULL && c < PS_CLASS_SLOTS; c++)
			blocks += (int64_t)(ps_peek(&t->class_allocations[c]) -
					    ps_peek(&t->class_frees[c]));
	}
	return blocks > 0 ? (double)blocks : 0;
}

double
ps_recording_level(const struct ps_reader *r, enum ps_subject subject)
{
	const struct ps_record_heap *heap = &r->header->heap;
	int64_t live;

	PS_ASSERT(subject < PS_SUBJECT_SECTION);
	switch (subject) {
	case PS_SUBJECT_HEAP:
		live = (int64_t)ps_recording_live_bytes(r->header);
		return live > 0 ? (double)live : 0;
	case PS_SUBJECT_BLOCKS:
		return live_blocks(r);
	case PS_SUBJECT_FAILED:
		return (double)ps_peek(&heap->failed);
	default:
		return __builtin_nan("");
	}
}
