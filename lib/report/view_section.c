/* SPDX-License-Identifier: MIT */
/*
 * view_section - sections over all threads; a part of view
 *
 * Rows of the same section are added, histograms included.  Self time is
 * corrected: each mark of a direct child costs its parent what the pair takes
 * outside the child's own interval (timing.md 4.2, after TAU); the result is
 * clamped at 0 and called doubtful when the correction is more than a fifth.
 *
 * CPU time and the like are known of some calls (profile/section_usage.c): the
 * `every` count as they are, the rest of the time is given what the sample of
 * it (`some`) used, in proportion.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/hist.h"
#include "measure/real.h"
#include "report/view_section.h"

enum { TRIES_MAX = 50 };

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
	uint64_t value[PS_SECTION_VALUES];
	uint32_t threads;
	double squares;
	_Atomic uint32_t *histogram;
};

/* Counters of a struct ps_record_usage, over all rows. */
struct usage {
	double ticks;
	double cpu_ns;
	double live_bytes;
	double minor_faults;
	double major_faults;
	double waits;
	double preemptions;
};

static void
add_usage(struct usage *to, const struct ps_record_usage *from)
{
	to->ticks += (double)ps_peek(&from->ticks);
	to->cpu_ns += (double)ps_peek(&from->cpu_ns);
	to->live_bytes += (double)(int64_t)ps_peek(&from->live_bytes);
	to->minor_faults += (double)ps_peek(&from->minor_faults);
	to->major_faults += (double)ps_peek(&from->major_faults);
	to->waits += (double)ps_peek(&from->waits);
	to->preemptions += (double)ps_peek(&from->preemptions);
}

static void
add_stats(struct sum *sum, const struct ps_record_section_stats *s)
{
	uint64_t calls = ps_peek(&s->calls);
	uint64_t min = ps_peek(&s->min_ticks);
	uint64_t max = ps_peek(&s->max_ticks);

	if (calls == 0)
		return;
	sum->min = sum->calls == 0 ? min : PS_MIN(sum->min, min);
	sum->max = PS_MAX(sum->max, max);
	sum->calls += calls;
	sum->total += ps_peek(&s->total_ticks);
	sum->self += ps_peek(&s->self_ticks);
	sum->child_calls += ps_peek(&s->child_calls);
	sum->allocations += ps_peek(&s->allocations);
	sum->bytes += ps_peek(&s->bytes);
	sum->over += ps_peek(&s->over);
	sum->squares += ps_peek(&s->squares);
	for (unsigned i = 0; i < PS_SECTION_VALUES; i++)
		sum->value[i] += ps_peek(&s->value[i]);
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

double
ps_view_marks_s(const struct ps_view *v, uint64_t pairs)
{
	const struct ps_calibration *c = &v->reader->header->calibration;
	double cost_s =
	    (double)pairs * (c->marker_ns - c->marker_inside_ns) * 1e-9;

	return PS_MAX(cost_s, 0.0);
}

static void
correct_self(const struct ps_view *v, struct ps_view_section *out,
	     uint64_t pairs, double raw_s)
{
	double cost_s = ps_view_marks_s(v, pairs);

	out->self_s = PS_MAX(raw_s - cost_s, 0.0);
	out->is_self_doubtful = cost_s > raw_s * 0.2;
}

static void
finish_usage(struct ps_view_usage *out, const struct usage *every,
	     const struct usage *some, double total)
{
	double rest = PS_MAX(total - every->ticks, 0.0);
	double share = some->ticks > 0 ? rest / some->ticks : 0;

	*out = (struct ps_view_usage){
	    (double)NAN, (double)NAN, (double)NAN,	   (double)NAN,
	    (double)NAN, (double)NAN, rest > 0.01 * total,
	};
	if (every->ticks + some->ticks == 0)
		return;
	/* Without a sample, the rest is like the others in its CPU time. */
	if (some->ticks == 0)
		out->cpu_s = every->cpu_ns * (1 + rest / every->ticks);
	else
		out->cpu_s = every->cpu_ns + some->cpu_ns * share;
	out->cpu_s *= 1e-9;
	out->live_bytes = every->live_bytes + some->live_bytes * share;
	out->minor_faults = every->minor_faults + some->minor_faults * share;
	out->major_faults = every->major_faults + some->major_faults * share;
	out->waits = every->waits + some->waits * share;
	out->preemptions = every->preemptions + some->preemptions * share;
}

/*
 * What all calls took together, recursive ones too, of which the total has the
 * outermost only: that is in the call tree.  Spans are not; they are what is
 * missing in the tree's self time.
 */
static double
all_ticks(const struct ps_view *v, const struct sum *sum, uint32_t section,
	  double tick_s)
{
	double most = (double)PS_MAX(sum->total, sum->self);
	double all_s = 0;
	double self_s = 0;
	double all;

	for (uint32_t i = 0; i < v->node_count; i++) {
		if (v->nodes[i].section != section)
			continue;
		all_s += v->nodes[i].total_s;
		self_s += v->nodes[i].raw_self_s;
	}
	all = (all_s - self_s) / tick_s + (double)(int64_t)sum->self;
	return all > most ? all : most; /* also when it is not a number */
}

static void
finish_section(const struct ps_view *v, const struct sum *sum,
	       struct ps_view_section *out)
{
	double tick_s = ps_reader_tick_seconds(v->reader);
	double n = (double)sum->calls;
	double all = 0;
	double variance;

	PS_ASSERT(sum->calls > 0);
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
	correct_self(v, out, sum->child_calls,
		     PS_MAX((double)(int64_t)sum->self, 0.0) * tick_s);
	for (unsigned i = 0; i < PS_SECTION_VALUES; i++)
		out->value[i] = (double)sum->value[i];
	all = all_ticks(v, sum, out->index, tick_s);
	out->mean_s = all / n * tick_s;
	variance = sum->squares / n - (all / n) * (all / n);
	out->stddev_s = variance > 0 ? ps_sqrt(variance) * tick_s : 0;
}

static void
insert_slow(struct ps_view_section *out, const struct ps_view_slow_call *call)
{
	uint32_t i = out->slow_count;

	PS_ASSERT(i <= PS_SECTION_SLOWEST);
	if (i == PS_SECTION_SLOWEST) {
		i--;
		if (out->slow[i].seconds >= call->seconds)
			return;
	} else {
		out->slow_count++;
	}
	for (; i > 0 && out->slow[i - 1].seconds < call->seconds; i--)
		out->slow[i] = out->slow[i - 1];
	out->slow[i] = *call;
}

static void
add_slow(const struct ps_view *v, const struct ps_record_section_stats *s,
	 struct ps_view_section *out)
{
	const struct ps_reader *r = v->reader;
	double tick_s = ps_reader_tick_seconds(r);

	for (unsigned i = 0; i < PS_SECTION_SLOWEST; i++) {
		const struct ps_record_slow_call *call = &s->slowest[i];
		/* acquire: pairs with the release of the length */
		uint64_t ticks =
		    atomic_load_explicit(&call->ticks, memory_order_acquire);
		/* It may be set just now: both of it are of one reading. */
		uint32_t index = ps_peek(&call->parent);
		const struct ps_record_section *parent =
		    ps_reader_entry(r, PS_TABLE_SECTIONS, index);
		struct ps_view_slow_call slow = {
		    .at_s = ps_reader_seconds(r, ps_peek(&call->begun)),
		    .seconds = (double)ticks * tick_s,
		    .parent = parent == NULL
				  ? NULL
				  : ps_reader_string(r, parent->name),
		    .parent_index = index,
		    .tid = ps_peek(&call->tid),
		};

		if (ticks != 0)
			insert_slow(out, &slow);
	}
}

/* Rows of each section as lists, so that all are walked once. */
struct row_lists {
	uint32_t *first; /* by section: row + 1; 0: none */
	uint32_t *next;	 /* by row, the same */
};

static int
make_lists(const struct ps_reader *r, struct ps_scratch *scratch,
	   struct row_lists *out)
{
	uint32_t sections = r->count[PS_TABLE_SECTIONS];
	uint32_t rows = r->count[PS_TABLE_SECTION_STATS];

	out->first = ps_scratch_array(scratch, sections, sizeof(*out->first));
	out->next = ps_scratch_array(scratch, rows, sizeof(*out->next));
	return out->first == NULL || out->next == NULL ? -ENOMEM : 0;
}

static void
list_rows(const struct ps_reader *r, struct row_lists *out)
{
	uint32_t sections = r->count[PS_TABLE_SECTIONS];
	uint32_t rows = r->count[PS_TABLE_SECTION_STATS];

	memset(out->first, 0, sections * sizeof(*out->first));
	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_section_stats *s =
		    ps_reader_row(r, PS_TABLE_SECTION_STATS, i);
		uint32_t section = s == NULL ? UINT32_MAX : ps_once(s->section);

		if (section >= sections || ps_peek(&s->thread) == UINT32_MAX)
			continue;
		out->next[i] = out->first[section];
		out->first[section] = i + 1;
	}
}

static void
view_one(struct ps_view *v, uint32_t section, const struct row_lists *rows,
	 _Atomic uint32_t *histogram)
{
	const struct ps_reader *r = v->reader;
	const struct ps_record_section *s =
	    ps_reader_entry(r, PS_TABLE_SECTIONS, section);
	struct ps_view_section *out = &v->sections[v->section_count];
	struct sum sum = {.histogram = histogram};
	struct usage every = {0};
	struct usage some = {0};

	PS_ASSERT(v->section_count <= section); /* so there is room */
	*out = (struct ps_view_section){.index = section};
	memset((void *)histogram, 0, sizeof(uint32_t) * PS_HIST_BUCKETS);
	for (uint32_t i = rows->first[section]; i != 0; i = rows->next[i - 1]) {
		const struct ps_record_section_stats *stats =
		    ps_reader_row(r, PS_TABLE_SECTION_STATS, i - 1);

		PS_ASSERT(rows->next[i - 1] < i); /* the list ends */
		if (stats == NULL)
			continue; /* of a live recording: just now added */
		add_stats(&sum, stats);
		add_usage(&every, &stats->every);
		add_usage(&some, &stats->some);
		add_slow(v, stats, out);
	}
	if (sum.calls == 0)
		return;
	ps_hist_clamp(histogram, sum.over, &sum.min, &sum.max);
	out->index = section;
	out->name = ps_reader_string(r, s->name);
	out->file = ps_reader_string(r, s->file);
	out->line = s->line;
	finish_section(v, &sum, out);
	finish_usage(&out->usage, &every, &some, (double)sum.total);
	v->section_calls += sum.calls;
	v->section_count++;
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

/* Again while a live recording's rows are added to others. */
static void
view_all(struct ps_view *v, struct row_lists *rows, _Atomic uint32_t *histogram)
{
	uint32_t count = v->reader->count[PS_TABLE_SECTIONS];
	uint64_t folds;
	int tries = 0;

	do {
		folds = ps_reader_folds(v->reader);
		v->section_count = 0;
		v->section_calls = 0;
		list_rows(v->reader, rows);
		for (uint32_t i = 0; i < count; i++)
			view_one(v, i, rows, histogram);
	} while (ps_reader_folds(v->reader) != folds && ++tries < TRIES_MAX);
}

int
ps_view_sections(struct ps_view *v, struct ps_scratch *scratch)
{
	uint32_t count = v->reader->count[PS_TABLE_SECTIONS];
	_Atomic uint32_t *histogram =
	    ps_scratch_alloc(scratch, sizeof(uint32_t) * PS_HIST_BUCKETS);
	struct row_lists rows;

	PS_ASSERT(v->nodes != NULL); /* all_ticks reads them */
	v->sections = ps_scratch_array(scratch, count, sizeof(*v->sections));
	if (v->sections == NULL || histogram == NULL)
		return -ENOMEM;
	if (make_lists(v->reader, scratch, &rows) != 0)
		return -ENOMEM;
	view_all(v, &rows, histogram);
	sort_sections(v);
	return 0;
}
