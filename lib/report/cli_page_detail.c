/* SPDX-License-Identifier: MIT */
/*
 * cli_page_detail - what the page shows of a recording beyond its JSON report
 *
 * Everything here is bounded, so that a page of a full recording opens as one
 * of a small one: histograms are told with 8 parts an octave instead of 32,
 * and of events the longest ones.
 */
#include <errno.h>
#include <stdlib.h>

#include "measure/hist.h"
#include "measure/roofline.h"
#include "report/flame.h"
#include "report/cli_page_detail.h"
#include "report/json.h"
#include "report/section_hgrm.h"
#include "report/section_trace.h"
#include "report/text_machine.h"
#include "report/text_parts.h"
#include "report/verdict.h"

enum {
	EVENTS_MAX = 2000,
	PARTS = 4, /* buckets of a histogram that are told as one */
};
_Static_assert((1 << PS_HIST_SUB_BITS) % PARTS == 0, "whole parts an octave");
_Static_assert(PS_HIST_BUCKETS % PARTS == 0, "whole parts in all");

static void
put_key(struct ps_text *t, const char *name)
{
	ps_text_printf(t, ",\"%s\":", name);
}

static void
put_number(struct ps_text *t, const char *name, double value)
{
	put_key(t, name);
	ps_text_json_number(t, value);
}

/* Between the entries of an array. */
static void
separate(struct ps_text *t, bool *is_first)
{
	if (!*is_first)
		ps_text_char(t, ',');
	*is_first = false;
}

/* ---- words -------------------------------------------------------------- */

static void
put_verdict(struct ps_source *s, struct ps_stack_names *names,
	    struct ps_text *t)
{
	struct ps_verdict verdict;

	ps_verdict(&s->view, s->symbols, names, &verdict);
	PS_ASSERT(verdict.count <= PS_VERDICT_LINES);
	ps_text_str(t, "\"verdict\":[");
	for (unsigned i = 0; i < verdict.count; i++) {
		ps_text_printf(t, "%s{\"about\":\"%s\",\"text\":",
			       i == 0 ? "" : ",", verdict.line[i].about);
		ps_text_json_string(t, verdict.line[i].text);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
}

static void
put_process(const struct ps_reader *r, struct ps_text *t)
{
	const struct ps_record_process *p = &r->header->process;
	uint32_t off = r->header->sampling.stacks_off;

	put_key(t, "name");
	ps_text_json_string(t, ps_reader_string(r, p->name));
	put_key(t, "cpu_model");
	ps_text_json_string(t, ps_reader_string(r, p->cpu_model));
	put_key(t, "stacks_off");
	if (off == 0)
		ps_text_str(t, "null");
	else
		ps_text_json_string(t, ps_reader_string(r, off));
}

/* ---- sites -------------------------------------------------------------- */

/* Of each site of the report: its most telling frame, and the figures that the
 * report does not have, with the errors of all. */
static int
put_sites(struct ps_source *s, struct ps_stack_names *names, struct ps_text *t)
{
	const struct ps_view *v = &s->view;
	const struct ps_view_site **top =
	    ps_scratch_alloc(&s->scratch, PS_REPORT_SITES * sizeof(*top));
	uint32_t count;

	if (top == NULL)
		return -ENOMEM;
	count = ps_view_top(v, PS_BY_BYTES, PS_REPORT_SITES, top);
	put_key(t, "sites");
	ps_text_char(t, '[');
	for (uint32_t i = 0; i < count; i++) {
		ps_stack_names(v->reader, s->symbols, top[i]->site, names);
		ps_text_printf(t, "%s{\"telling\":%u", i == 0 ? "" : ",",
			       ps_telling_frame(names));
		put_number(t, "temporary", top[i]->temporary);
		put_number(t, "live_blocks", top[i]->live_allocations);
		put_number(t, "peak_blocks", top[i]->peak_allocations);
		for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
			ps_text_printf(t,
				       ",\"%s_error\":", ps_flame_key_name(k));
			ps_text_json_number(t, ps_view_error(top[i], k));
		}
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
	put_number(t, "site_count", v->site_count);
	return 0;
}

static void
put_lifetimes(const struct ps_view *v, struct ps_text *t)
{
	double tick_s = ps_reader_tick_seconds(v->reader);

	_Static_assert(PS_LIFETIME_SHIFT + 2 * PS_LIFETIMES <= 64, "shifts");
	put_key(t, "lifetimes");
	ps_text_char(t, '[');
	for (unsigned i = 0; i < PS_LIFETIMES; i++) {
		double ticks =
		    (double)(UINT64_C(1) << (PS_LIFETIME_SHIFT + 2 * i));
		bool is_bounded = i + 1 < PS_LIFETIMES;

		ps_text_printf(t, "%s{\"under_s\":", i == 0 ? "" : ",");
		ps_text_json_number(t, is_bounded ? ticks * tick_s
						  : __builtin_nan(""));
		put_number(t, "frees", v->lifetime_frees[i]);
		put_number(t, "bytes", v->lifetime_bytes[i]);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
}

/* ---- sections ----------------------------------------------------------- */

/* [from, to, calls] in seconds, of each part that has any. */
static int
put_histogram(struct ps_source *s, uint32_t section, struct ps_text *t)
{
	struct ps_scratch scratch;
	struct ps_distribution d;
	bool is_first = true;
	int error;

	ps_scratch_init(&scratch, 0);
	error = ps_section_distribution(s->view.reader, section, &scratch, &d);
	PS_ASSERT(error != 0 || d.histogram != NULL);
	ps_text_str(t, "\"histogram\":[");
	for (uint32_t b = 0; error == 0 && b < PS_HIST_BUCKETS; b += PARTS) {
		uint32_t last = b + PARTS - 1;
		uint64_t calls = 0;
		uint64_t end = ps_hist_floor(last) + ps_hist_width(last);

		for (uint32_t i = b; i <= last; i++)
			calls += ps_peek(&d.histogram[i]);
		if (calls == 0)
			continue;
		PS_ASSERT(end > ps_hist_floor(b));
		separate(t, &is_first);
		ps_text_char(t, '[');
		ps_text_json_number(t, (double)ps_hist_floor(b) * d.tick_ms *
					   1e-3);
		ps_text_char(t, ',');
		ps_text_json_number(t, (double)end * d.tick_ms * 1e-3);
		ps_text_printf(t, ",%lu]", (unsigned long)calls);
	}
	ps_text_char(t, ']');
	ps_scratch_fini(&scratch);
	return error;
}

static void
put_roofline(const struct ps_view *v, const struct ps_view_section *x,
	     struct ps_text *t)
{
	struct ps_roofline r;

	put_key(t, "roofline");
	if (ps_roofline(&v->reader->header->calibration,
			x->value[PS_VALUE_BYTES], x->value[PS_VALUE_FLOPS],
			x->total_s, &r) != 0) {
		ps_text_str(t, "null");
		return;
	}
	ps_text_printf(t, "{\"bound\":\"%s\"",
		       r.bound == PS_BOUND_BY_MEMORY ? "memory" : "computing");
	put_number(t, "share", r.share);
	put_number(t, "ceiling", r.ceiling);
	put_number(t, "rate", r.rate);
	put_number(t, "flops_a_byte", r.flops_a_byte);
	ps_text_char(t, '}');
}

static int
put_sections(struct ps_source *s, struct ps_text *t)
{
	const struct ps_view *v = &s->view;

	put_key(t, "sections");
	ps_text_char(t, '[');
	for (uint32_t i = 0; i < v->section_count; i++) {
		const struct ps_view_section *x = &v->sections[i];

		ps_text_str(t, i == 0 ? "{" : ",{");
		if (put_histogram(s, x->index, t) != 0)
			return -ENOMEM;
		put_key(t, "file");
		ps_text_json_string(t, x->file == NULL ? "" : x->file);
		put_number(t, "line", x->line);
		put_roofline(v, x, t);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
	return 0;
}

static uint64_t
length_of(const struct ps_trace_event *e)
{
	return e->ended_ns - e->begun_ns;
}

static int
longest_first(const void *a, const void *b)
{
	uint64_t x = length_of(a);
	uint64_t y = length_of(b);

	return x > y ? -1 : x < y;
}

/* By row of SECTIONS: its place in the report's list. */
static int
number_sections(struct ps_source *s, uint32_t **out)
{
	uint32_t rows = s->view.reader->count[PS_TABLE_SECTIONS];

	*out = ps_scratch_array(&s->scratch, rows, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->view.section_count; i++)
		if (s->view.sections[i].index < rows)
			(*out)[s->view.sections[i].index] = i;
	return 0;
}

/* [section, begun_s, seconds, thread] of the longest calls that were kept. */
static int
put_events(struct ps_source *s, struct ps_text *t)
{
	uint32_t rows = s->view.reader->count[PS_TABLE_EVENTS];
	uint32_t sections = s->view.reader->count[PS_TABLE_SECTIONS];
	struct ps_trace_event *events =
	    ps_scratch_array(&s->scratch, rows, sizeof(*events));
	uint32_t *number;
	uint32_t count = 0;
	bool is_first = true;

	if (events == NULL || number_sections(s, &number) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < rows; i++)
		count += ps_section_event_at(&s->view, i, &events[count]) &&
			 events[count].section < sections;
	PS_ASSERT(count <= rows);
	qsort(events, count, sizeof(*events), longest_first);
	for (uint32_t i = 1; i < count; i++)
		PS_DEBUG_ASSERT(length_of(&events[i - 1]) >=
				length_of(&events[i]));
	put_key(t, "events");
	ps_text_char(t, '[');
	for (uint32_t i = 0; i < count && i < EVENTS_MAX; i++) {
		separate(t, &is_first);
		ps_text_printf(t, "[%u,", number[events[i].section]);
		ps_text_json_number(t, (double)events[i].begun_ns * 1e-9);
		ps_text_char(t, ',');
		ps_text_json_number(t, (double)length_of(&events[i]) * 1e-9);
		ps_text_printf(t, ",%u]", events[i].tid);
	}
	ps_text_char(t, ']');
	put_number(t, "event_count", count);
	return 0;
}

/* ---- what the figures are worth ----------------------------------------- */

static void
put_trust(const struct ps_view *v, struct ps_text *t)
{
	struct ps_loss losses[PS_LOSSES];
	unsigned count = ps_losses(v, losses);

	PS_ASSERT(count <= PS_LOSSES);
	put_number(t, "samples_without_stack",
		   (double)v->samples_without_stack);
	put_number(t, "samples_cut_short", (double)v->samples_truncated);
	put_number(t, "site_bytes", v->site_bytes);
	put_number(t, "site_bytes_error", v->site_bytes_error);
	ps_text_printf(t, ",\"is_exact\":%s,\"timing_note\":",
		       v->is_exact ? "true" : "false");
	if (ps_timing_note(&v->reader->header->calibration) == NULL)
		ps_text_str(t, "null");
	else
		ps_text_json_string(
		    t, ps_timing_note(&v->reader->header->calibration));
	put_key(t, "losses");
	ps_text_char(t, '[');
	for (unsigned i = 0; i < count; i++)
		ps_text_printf(t, "%s{\"count\":%lu,\"what\":\"%s\"}",
			       i == 0 ? "" : ",",
			       (unsigned long)losses[i].count, losses[i].what);
	ps_text_char(t, ']');
}

int
ps_page_detail(struct ps_source *s, struct ps_text *t)
{
	struct ps_stack_names *names =
	    ps_scratch_alloc(&s->scratch, sizeof(*names));

	if (names == NULL)
		return -ENOMEM;
	ps_text_char(t, '{');
	put_verdict(s, names, t);
	put_process(s->view.reader, t);
	if (put_sites(s, names, t) != 0 || put_sections(s, t) != 0 ||
	    put_events(s, t) != 0)
		return -ENOMEM;
	put_lifetimes(&s->view, t);
	put_trust(&s->view, t);
	put_key(t, "flame");
	if (ps_flame_of_view(&s->view, s->symbols, &s->scratch, t) != 0)
		return -ENOMEM;
	ps_text_char(t, '}');
	return 0;
}
