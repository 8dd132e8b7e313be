/* SPDX-License-Identifier: MIT */
/*
 * merge_header - room, and sums of headers and timelines; a part of merge
 */
#include <errno.h>
#include <string.h>

#include "record/plan.h"
#include "report/merge.h"
#include "report/merge_header.h"

#define SPAN_MAX_S 1e8 /* more is a damaged clock */

/* ---- room ---- */

/* Stacks that share frames are told one by one. */
static uint64_t
stack_rows(const struct ps_reader *r)
{
	uint64_t rows = 0;

	for (uint32_t i = 0; i < r->count[PS_TABLE_SITES]; i++) {
		const struct ps_record_site *site =
		    ps_reader_entry(r, PS_TABLE_SITES, i);
		uint32_t depth = ps_once(site->depth);

		rows += PS_MIN(depth, (uint32_t)PS_STACK_DEPTH_MAX);
	}
	return rows;
}

int
ps_merge_plan(struct ps_record_table tables[PS_TABLES],
	      const struct ps_reader *const *readers, uint32_t count,
	      uint64_t *bytes)
{
	uint64_t at = PS_RECORD_HEADER_BYTES;

	for (unsigned id = 0; id < PS_TABLES; id++) {
		uint64_t rows = id == PS_TABLE_THREADS ? PS_LABEL_THREADS : 16;

		for (uint32_t i = 0; i < count; i++)
			rows += id == PS_TABLE_STACK_FRAMES
				    ? stack_rows(readers[i])
				    : readers[i]->count[id];
		if (rows > UINT32_MAX)
			return -ENOMEM; /* no table is as long */
		PS_ASSERT(at % PS_RECORD_ALIGN == 0);
		tables[id] = (struct ps_record_table){
		    .offset = at,
		    .entry_bytes = ps_record_plan[id].entry_bytes,
		    .capacity = (uint32_t)rows,
		    .dropped = ps_peek(&readers[0]->header->table[id].dropped),
		};
		at += PS_ROUND_UP(rows * ps_record_plan[id].entry_bytes,
				  (uint64_t)PS_RECORD_ALIGN);
	}
	*bytes = at;
	return 0;
}

/* ---- headers ---- */

static void
plus(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	ps_poke(to, ps_peek(to) + ps_peek(from));
}

static void
most(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	uint64_t other = ps_peek(from);

	if (other > ps_peek(to))
		ps_poke(to, other);
}

void
ps_merge_header(struct ps_record_header *h, const struct ps_record_header *from)
{
	uint32_t coarsest = ps_peek(&from->sampling.coarsest);

	PS_ASSERT(h != from);
	plus(&h->process.user_ns, &from->process.user_ns);
	plus(&h->process.system_ns, &from->process.system_ns);
	most(&h->process.max_rss_bytes, &from->process.max_rss_bytes);
	plus(&h->process.threads_started, &from->process.threads_started);
	plus(&h->heap.live_bytes, &from->heap.live_bytes);
	plus(&h->heap.peak_bytes, &from->heap.peak_bytes);
	plus(&h->heap.sampled_live_bytes, &from->heap.sampled_live_bytes);
	plus(&h->heap.sampled_peak_bytes, &from->heap.sampled_peak_bytes);
	plus(&h->heap.failed, &from->heap.failed);
	plus(&h->sampling.dropped, &from->sampling.dropped);
	if (coarsest > ps_peek(&h->sampling.coarsest))
		ps_poke(&h->sampling.coarsest, coarsest);
	plus(&h->overhead.slow_ticks, &from->overhead.slow_ticks);
	plus(&h->overhead.start_ticks, &from->overhead.start_ticks);
	plus(&h->overhead.markers, &from->overhead.markers);
	plus(&h->overhead.unbalanced, &from->overhead.unbalanced);
	plus(&h->no_space, &from->no_space);
	if (ps_peek(&from->process.state) != PS_STATE_EXITED)
		ps_poke(&h->process.state, ps_peek(&from->process.state));
	for (unsigned i = 0; i < PS_TABLES; i++)
		ps_poke(&h->table[i].dropped,
			ps_peek(&h->table[i].dropped) +
			    ps_peek(&from->table[i].dropped));
}

/* ---- over time ---- */

static double
start_s(const struct ps_reader *first, const struct ps_reader *r)
{
	return ((double)r->header->process.start_real_ns -
		(double)first->header->process.start_real_ns) *
	       1e-9;
}

static double
wall_s(const struct ps_reader *r)
{
	double s = ps_reader_seconds(r, ps_peek(&r->header->clock.last_ticks));

	return s > 0 && s < SPAN_MAX_S ? s : 0;
}

void
ps_merge_timeline(struct ps_record_header *h, const struct ps_reader *first,
		  const struct ps_reader *r, double step_s)
{
	const struct ps_record_timeline *from = &r->header->timeline;
	struct ps_record_timeline *to = &h->timeline;
	uint64_t level[PS_TIMELINE_SLOTS] = {0};
	double begin = start_s(first, r);
	double tick_s =
	    ps_reader_tick_seconds(r) * (double)ps_peek(&from->step_ticks);
	uint32_t count = ps_reader_slots(r);

	PS_ASSERT(step_s > 0);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t bytes = ps_peek(&from->tick[i].live_bytes);
		double low = (begin + i * tick_s) / step_s;
		double high = (begin + (i + 1) * tick_s) / step_s;

		if (!(low >= 0 && high < PS_TIMELINE_SLOTS + 1))
			continue;
		for (uint32_t k = (uint32_t)low;
		     k < high && k < PS_TIMELINE_SLOTS; k++)
			level[k] = PS_MAX(level[k], bytes);
	}
	for (uint32_t k = 0; k < PS_TIMELINE_SLOTS; k++)
		ps_poke(&to->tick[k].live_bytes,
			ps_peek(&to->tick[k].live_bytes) + level[k]);
}

/* The clock goes on ticking as the first one's, from the first start. */
static double
set_clock(struct ps_record_header *h, const struct ps_reader *first,
	  double span_s)
{
	struct ps_record_clock *clock = &h->clock;
	double tick_s = ps_reader_tick_seconds(first);
	double step_s = span_s / PS_TIMELINE_SLOTS + 1e-6;

	PS_ASSERT(span_s >= 0 && span_s < SPAN_MAX_S);
	if (!(tick_s > 1e-11 && tick_s < 1e-3))
		tick_s = 1e-9;
	clock->start_ticks = 0;
	clock->start_ns = 0;
	ps_poke(&clock->last_ticks, (uint64_t)(span_s / tick_s));
	ps_poke(&clock->last_ns, (uint64_t)(span_s * 1e9));
	ps_poke(&h->timeline.step_ticks, (uint64_t)(step_s / tick_s));
	ps_poke(&h->timeline.count, (uint32_t)PS_TIMELINE_SLOTS);
	return step_s;
}

double
ps_merge_clock(struct ps_record_header *h,
	       const struct ps_reader *const *readers, uint32_t count)
{
	double span = 0;

	for (uint32_t i = 0; i < count; i++) {
		double end =
		    start_s(readers[0], readers[i]) + wall_s(readers[i]);

		span = end > span && end < SPAN_MAX_S ? end : span;
	}
	return set_clock(h, readers[0], span);
}

bool
ps_merge_fits(const struct ps_reader *a, const struct ps_reader *b)
{
	double ratio = ps_reader_tick_seconds(a) / ps_reader_tick_seconds(b);
	const struct ps_record_process *of_a = &a->header->process;
	const struct ps_record_process *of_b = &b->header->process;

	return strcmp(ps_reader_string(a, of_a->exe),
		      ps_reader_string(b, of_b->exe)) == 0 &&
	       strcmp(ps_reader_string(a, of_a->name),
		      ps_reader_string(b, of_b->name)) == 0 &&
	       !(ratio < 0.99) && !(ratio > 1.01) &&
	       a->header->clock.kind == b->header->clock.kind;
}
