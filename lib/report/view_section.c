/* SPDX-License-Identifier: MIT */
/*
 * view_section - sections over all threads; a part of view
 *
 * Rows of the same section are added, histograms included.  Self time is
 * corrected: each mark of a direct child costs its parent what the pair takes
 * outside the child's own interval (timing.md 4.2, after TAU); the result is
 * clamped at 0 and called doubtful when the correction is more than a fifth.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/hist.h"
#include "measure/real.h"
#include "report/view_section.h"

struct sum {
	uint64_t calls;
	uint64_t total;
	uint64_t self;
	uint64_t child_calls;
	uint64_t min;
	uint64_t max;
	uint64_t allocations;
	uint64_t bytes;
	uint64_t over;
	uint32_t threads;
	double squares;
	_Atomic uint32_t *histogram;
};

static void
add_stats(struct sum *sum, const struct ps_record_section_stats *s)
{
	uint64_t calls = ps_peek(&s->calls);

	if (calls == 0)
		return;
	sum->min = sum->calls == 0 ? ps_peek(&s->min_ticks)
				   : PS_MIN(sum->min, ps_peek(&s->min_ticks));
	sum->max = PS_MAX(sum->max, ps_peek(&s->max_ticks));
	sum->calls += calls;
	sum->total += ps_peek(&s->total_ticks);
	sum->self += ps_peek(&s->self_ticks);
	sum->child_calls += ps_peek(&s->child_calls);
	sum->allocations += ps_peek(&s->allocations);
	sum->bytes += ps_peek(&s->bytes);
	sum->over += ps_peek(&s->over);
	sum->squares += ps_peek(&s->squares);
	sum->threads +=
	    ps_peek(&s->thread) == 0 ? (uint32_t)ps_peek(&s->ended_threads) : 1;
	ps_hist_merge(sum->histogram, s->histogram);
}

static double
quantile(const struct sum *sum, double q, double tick_s)
{
	uint64_t ticks;

	if (ps_hist_quantile(sum->histogram, sum->over, sum->max, q, &ticks) !=
	    0)
		return (double)NAN;
	return (double)PS_MAX(ticks, sum->min) * tick_s;
}

static void
correct_self(struct ps_view_section *out, const struct sum *sum,
	     const struct ps_calibration *c, double raw_s)
{
	double cost_s = (double)sum->child_calls *
			(c->marker_ns - c->marker_inside_ns) * 1e-9;

	out->self_s = raw_s - PS_MAX(cost_s, 0.0);
	if (out->self_s < 0)
		out->self_s = 0;
	out->is_self_doubtful = cost_s > raw_s * 0.2;
}

static void
finish_section(const struct ps_view *v, const struct sum *sum,
	       struct ps_view_section *out)
{
	double tick_s = ps_reader_tick_seconds(v->reader);
	double n = (double)sum->calls;
	double all = 0;
	double variance;

	out->calls = sum->calls;
	out->threads = sum->threads;
	out->total_s = (double)sum->total * tick_s;
	out->min_s = (double)sum->min * tick_s;
	out->max_s = (double)sum->max * tick_s;
	out->allocations = sum->allocations;
	out->bytes = sum->bytes;
	out->p50_s = quantile(sum, 0.50, tick_s);
	out->p90_s = quantile(sum, 0.90, tick_s);
	out->p99_s = quantile(sum, 0.99, tick_s);
	correct_self(out, sum, &v->reader->header->calibration,
		     (double)sum->self * tick_s);
	/* The total counts a recursion once; the mean is over all calls. */
	all = (double)(sum->total > sum->self ? sum->total : sum->self);
	out->mean_s = all / n * tick_s;
	variance = sum->squares / n - (all / n) * (all / n);
	out->stddev_s = variance > 0 ? ps_sqrt(variance) * tick_s : 0;
}

static int
view_one(struct ps_view *v, uint32_t section, _Atomic uint32_t *histogram)
{
	const struct ps_reader *r = v->reader;
	const struct ps_record_section *s =
	    ps_reader_entry(r, PS_TABLE_SECTIONS, section);
	struct ps_view_section *out = &v->sections[v->section_count];
	struct sum sum = {.histogram = histogram};

	memset((void *)histogram, 0, sizeof(uint32_t) * PS_HIST_BUCKETS);
	for (uint32_t i = 0; i < r->count[PS_TABLE_SECTION_STATS]; i++) {
		const struct ps_record_section_stats *stats =
		    ps_reader_entry(r, PS_TABLE_SECTION_STATS, i);

		if (stats->section == section &&
		    ps_peek(&stats->thread) != UINT32_MAX)
			add_stats(&sum, stats);
	}
	if (sum.calls == 0)
		return 0;
	out->name = ps_reader_string(r, s->name);
	out->file = ps_reader_string(r, s->file);
	out->line = s->line;
	finish_section(v, &sum, out);
	v->section_calls += sum.calls;
	v->section_count++;
	return 0;
}

static void
sort_sections(struct ps_view *v)
{
	for (uint32_t i = 1; i < v->section_count; i++) {
		struct ps_view_section s = v->sections[i];
		uint32_t j = i;

		for (; j > 0 && v->sections[j - 1].total_s < s.total_s; j--)
			v->sections[j] = v->sections[j - 1];
		v->sections[j] = s;
	}
}

int
ps_view_sections(struct ps_view *v, struct ps_scratch *scratch)
{
	uint32_t count = v->reader->count[PS_TABLE_SECTIONS];
	_Atomic uint32_t *histogram =
	    ps_scratch_alloc(scratch, sizeof(uint32_t) * PS_HIST_BUCKETS);

	v->sections =
	    ps_scratch_alloc(scratch, (count + 1) * sizeof(*v->sections));
	if (v->sections == NULL || histogram == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		(void)view_one(v, i, histogram);
	sort_sections(v);
	return 0;
}
