/* SPDX-License-Identifier: MIT */
/*
 * view - what a recording says, added up: all that the formatters read
 *
 * A recording may be hostile, so sums are made in types that cannot trap, and
 * a value that no honest writer leaves (more frees than allocations, a peak of
 * the past in the future) is clamped, never trusted.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "report/view.h"
#include "report/view_label.h"
#include "report/view_section.h"
#include "report/view_site.h"

enum { TRIES_MAX = 50 };

/*
 * A sum of what was added and taken away; below zero only in a recording that
 * is damaged, or read while it is being written.
 */
static uint64_t
not_negative(uint64_t sum)
{
	return (int64_t)sum < 0 ? 0 : sum;
}

/* ---- process ------------------------------------------------------------ */

static void
view_end(struct ps_view *v, const struct ps_report_options *options)
{
	const struct ps_record_process *p = &v->reader->header->process;

	v->exit_code = ps_peek(&p->exit_code);
	if (v->exit_code < 0 || v->exit_code > UINT8_MAX)
		v->exit_code = -1;
	v->end = ps_peek(&p->state) == PS_STATE_EXITED ? PS_END_EXITED
						       : PS_END_RUNNING;
	if (options == NULL)
		return;
	if (options->exit_signal > 0) {
		v->end = PS_END_SIGNALED;
		v->exit_signal = options->exit_signal;
		v->exit_code = -1;
	} else if (options->exit_code >= 0) {
		v->end = PS_END_EXITED;
		v->exit_code = options->exit_code;
	} else if (v->end == PS_END_RUNNING && options->has_ended) {
		v->end = PS_END_UNKNOWN;
	}
}

/* The kernel counts what is resident in two ways: the timeline's may be the
 * greater one by some pages. */
static uint64_t
greatest_rss(const struct ps_reader *r)
{
	const struct ps_record_timeline *t = &r->header->timeline;
	uint32_t count = ps_reader_slots(r);
	uint64_t greatest = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t rss = ps_peek(&t->tick[i].rss_bytes);

		greatest = PS_MAX(greatest, rss);
	}
	return greatest;
}

static void
view_process(struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;
	const struct ps_record_clock *c = &v->reader->header->clock;
	uint64_t max_rss = ps_peek(&p->max_rss_bytes);

	v->wall_s = ps_reader_seconds(v->reader, ps_peek(&c->last_ticks));
	if (!(v->wall_s > 0))
		v->wall_s = (double)NAN;
	/* Recorded together, at the end: a peak of 0 means that was not
	 * reached. */
	v->user_s = v->system_s = (double)NAN;
	if (max_rss != 0) {
		v->user_s = (double)ps_peek(&p->user_ns) * 1e-9;
		v->system_s = (double)ps_peek(&p->system_ns) * 1e-9;
	}
	v->max_rss_bytes = (double)NAN;
	if (max_rss != 0) {
		uint64_t seen = greatest_rss(v->reader);

		v->max_rss_bytes = (double)PS_MAX(max_rss, seen);
	}
	v->threads_started = ps_peek(&p->threads_started);
}

/* ---- heap --------------------------------------------------------------- */

static void
add_row(struct ps_view *v, const struct ps_record_thread *row)
{
	v->allocations += ps_peek(&row->allocations);
	v->samples += ps_peek(&row->samples);
	for (unsigned i = 0; i < PS_LIFETIMES; i++) {
		v->lifetime_frees[i] += ps_view_weight(&row->lifetime_frees[i]);
		v->lifetime_bytes[i] += ps_view_bytes(&row->lifetime_bytes[i]);
	}
	v->requested_bytes +=
	    ps_peek(&row->issued_bytes) - ps_peek(&row->bytes_left);
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		uint64_t frees = ps_peek(&row->class_frees[c]);

		v->frees += frees;
		v->class_allocations[c] += ps_peek(&row->class_allocations[c]);
		v->class_live[c] += ps_peek(&row->class_allocations[c]) - frees;
	}
}

/* As of now, where the writer's own sum is brought up to date now and then. */
static uint64_t
live_block_bytes(const struct ps_view *v, uint64_t large)
{
	const struct ps_record_heap *heap = &v->reader->header->heap;
	uint64_t bytes = large;

	_Static_assert(PS_CLASS_LARGE == PS_CLASSES, "it is behind the others");
	for (unsigned c = 0; c < PS_CLASSES; c++)
		bytes += v->class_live[c] * heap->class_bytes[c];
	return bytes;
}

/*
 * A live recording's rows of ended threads are added to another one while we
 * read: what was read then is thrown away.
 */
static void
add_rows(struct ps_view *v, uint64_t *large)
{
	const struct ps_reader *r = v->reader;
	const struct ps_view before = *v;
	uint64_t folds;
	int tries = 0;

	do {
		folds = ps_reader_folds(r);
		*v = before;
		*large = 0;
		for (uint32_t i = 0; i < r->count[PS_TABLE_THREADS]; i++) {
			const struct ps_record_thread *row =
			    ps_reader_row(r, PS_TABLE_THREADS, i);

			if (row == NULL)
				continue;
			add_row(v, row);
			*large += ps_peek(&row->large_bytes) -
				  ps_peek(&row->large_freed_bytes);
		}
	} while (ps_reader_folds(r) != folds && ++tries < TRIES_MAX);
}

static void
view_heap(struct ps_view *v)
{
	const struct ps_reader *r = v->reader;
	const struct ps_record_heap *heap = &r->header->heap;
	uint64_t peak_ticks = ps_peek(&heap->peak_ticks);
	uint64_t large = 0;
	uint64_t peak;
	double all = 0;

	add_rows(v, &large);
	v->requested_bytes = not_negative(v->requested_bytes);
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		v->class_live[c] = not_negative(v->class_live[c]);
		v->live_blocks += v->class_live[c];
		all += (double)v->class_allocations[c];
	}
	v->live_bytes =
	    not_negative(v->is_exact ? ps_peek(&heap->sampled_live_bytes)
				     : live_block_bytes(v, large));
	peak = ps_peek(v->is_exact ? &heap->sampled_peak_bytes
				   : &heap->peak_bytes);
	v->peak_bytes = PS_MAX(peak, v->live_bytes);
	v->peak_at_s = ps_reader_seconds(r, peak_ticks);
	if (peak_ticks == 0 || !(v->peak_at_s >= 0))
		v->peak_at_s = (double)NAN;
	v->pool_fraction =
	    ps_peek(&heap->pool_reserved_bytes) == 0 ? 0.0
	    : all == 0
		? (double)NAN
		: 1.0 - (double)v->class_allocations[PS_CLASS_LARGE] / all;
	PS_ASSERT(!(v->pool_fraction < 0) && !(v->pool_fraction > 1));
}

/* ---- what it cost ------------------------------------------------------- */

static void
view_overhead(struct ps_view *v)
{
	const struct ps_record_header *h = v->reader->header;
	double tick_s = ps_reader_tick_seconds(v->reader);
	double pair_ns = ps_once(h->calibration.marker_ns);
	double marker_ns = PS_MAX(pair_ns, 0.0); /* NAN: 0 */
	double ticks = (double)ps_peek(&h->overhead.slow_ticks) +
		       (double)ps_peek(&h->overhead.start_ticks);

	v->overhead_s =
	    ticks * tick_s + (double)v->section_calls * marker_ns * 1e-9;
	v->overhead_fraction = v->overhead_s / v->wall_s;
	for (int i = 0; i < PS_TABLES; i++)
		v->table_drops += ps_peek(&h->table[i].dropped);
}

double
ps_view_interval_widest(const struct ps_view *v)
{
	const struct ps_record_sampling *s = &v->reader->header->sampling;
	uint32_t coarsest = ps_peek(&s->coarsest);

	_Static_assert(PS_COARSE_MAX < 32, "it is shifted by");
	coarsest = PS_MIN(coarsest, (uint32_t)PS_COARSE_MAX);
	return (double)s->interval_bytes * (double)(1u << coarsest);
}

const char *
ps_view_own_malloc(const struct ps_view *v)
{
	uint32_t name = v->reader->header->own_malloc;

	return name != 0 ? ps_reader_string(v->reader, name) : NULL;
}

int
ps_view_build(const struct ps_reader *reader,
	      const struct ps_report_options *options,
	      struct ps_scratch *scratch, struct ps_view *out)
{
	int error;

	PS_ASSERT(reader->header != NULL);
	memset(out, 0, sizeof(*out));
	out->reader = reader;
	out->is_exact = reader->header->sampling.mode == PS_SAMPLE_ALL;
	view_end(out, options);
	view_process(out);
	view_heap(out);
	error = ps_view_sites(out, options, scratch);
	if (error == 0)
		error = ps_view_labels(out, scratch);
	if (error == 0)
		error = ps_view_tree(out, scratch);
	if (error == 0)
		error = ps_view_sections(out, scratch);
	view_overhead(out);
	PS_ASSERT(error != 0 || (out->sites != NULL && out->nodes != NULL &&
				 out->sections != NULL));
	return error;
}
