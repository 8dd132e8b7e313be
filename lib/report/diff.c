/* SPDX-License-Identifier: MIT */
/*
 * diff - what changed between two recordings, and whether it is more than noise
 *
 * Stacks are the same when their functions have the same names: addresses and
 * lines differ between two builds.  The variance of a difference is the sum of
 * both variances; a sampled recording in which a stack does not occur at all
 * could have missed about one interval of it, so that is its variance there.
 *
 * Many stacks are compared, and one in twenty would pass for changed by chance
 * at 95 %.  So a change counts when chance would not show one like it anywhere
 * in the list in 19 of 20 comparisons: each of n is held to 0.05/n, by the
 * bound P(|Z| > z) <= exp(-z^2/2) of the normal distribution.
 */
#include <errno.h>
#include <stdlib.h>

#include "measure/real.h"
#include "report/diff.h"
#include "report/folded.h"
#include "report/text_parts.h"

enum { KEYS = PS_DIFF_KEYS, DEFAULT_TOP = 5, FRAMES_SHOWN = 4 };
#define Z95 1.96
#define CHANCE 0.05

struct value {
	double sum[2][KEYS]; /* old, new */
	double variance[2][KEYS];
};

struct change {
	uint32_t path;
	double difference;
	double deviation;
};

struct ps_diff {
	const struct ps_diff_side *side[2];
	struct ps_paths *paths;
	struct change *changes;
	struct ps_text *out;
};

/* ---- adding up ---- */

static int
add_side(struct ps_paths *paths, const struct ps_diff_side *s, unsigned which)
{
	const struct ps_view *v = s->view;

	PS_ASSERT(which < 2);
	if (ps_paths_use(paths, v->reader, s->symbols, NULL) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->site_count; i++) {
		struct value *value;
		uint32_t path;

		if (ps_paths_add(paths, v->sites[i].site, &path) != 0)
			return -ENOMEM;
		value = ps_paths_value(paths, path);
		for (unsigned k = 0; k < KEYS; k++) {
			double deviation = ps_view_deviation(&v->sites[i], k);

			value->sum[which][k] += ps_view_value(&v->sites[i], k);
			value->variance[which][k] += deviation * deviation;
		}
	}
	return 0;
}

static int
build(struct ps_diff *d, const struct ps_diff_side *old,
      const struct ps_diff_side *new, struct ps_scratch *scratch)
{
	d->side[0] = old;
	d->side[1] = new;
	d->paths =
	    ps_paths_new(scratch, ps_folded_put_name, sizeof(struct value));
	if (d->paths == NULL || add_side(d->paths, old, 0) != 0 ||
	    add_side(d->paths, new, 1) != 0)
		return -ENOMEM;
	d->changes = ps_scratch_array(scratch, ps_paths_count(d->paths),
				      sizeof(*d->changes));
	return d->changes == NULL ? -ENOMEM : 0;
}

/* What a side that has nothing of a stack may have missed of it. */
static double
missed(const struct ps_diff *d, const struct value *v, unsigned which,
       unsigned key)
{
	const struct ps_view *view = d->side[which]->view;
	double interval = ps_view_interval_widest(view);
	double other = v->sum[!which][PS_BY_BYTES];

	PS_ASSERT(which < 2 && key < KEYS);
	if (view->is_exact || v->sum[which][PS_BY_BYTES] > 0 || !(other > 0))
		return 0;
	if (key == PS_BY_ALLOCATIONS || key == PS_BY_TEMPORARY)
		interval *= v->sum[!which][PS_BY_ALLOCATIONS] / other;
	return interval * interval;
}

static struct change
change_of(const struct ps_diff *d, uint32_t path, unsigned key)
{
	const struct value *v = ps_paths_value(d->paths, path);
	double variance = v->variance[0][key] + v->variance[1][key] +
			  missed(d, v, 0, key) + missed(d, v, 1, key);

	PS_ASSERT(variance >= 0);
	return (struct change){
	    .path = path,
	    .difference = v->sum[1][key] - v->sum[0][key],
	    .deviation = ps_sqrt(variance),
	};
}

/* How many deviations a change must be, to be none of chance. */
static double
least_deviations(const struct ps_diff *d)
{
	uint32_t paths = ps_paths_count(d->paths);

	return ps_sqrt(2 * ps_log(PS_MAX(paths, 1u) / CHANCE));
}

/* ---- for other formats ---- */

struct ps_diff *
ps_diff_new(const struct ps_diff_side *old, const struct ps_diff_side *new,
	    struct ps_scratch *scratch)
{
	struct ps_diff *d = ps_scratch_alloc(scratch, sizeof(*d));

	return d != NULL && build(d, old, new, scratch) == 0 ? d : NULL;
}

const struct ps_paths *
ps_diff_paths(const struct ps_diff *d)
{
	return d->paths;
}

void
ps_diff_stack(const struct ps_diff *d, uint32_t path, struct ps_diff_stack *out)
{
	const struct value *v = ps_paths_value(d->paths, path);

	for (unsigned k = 0; k < KEYS; k++) {
		struct change c = change_of(d, path, k);

		out->sum[0][k] = v->sum[0][k];
		out->sum[1][k] = v->sum[1][k];
		out->deviation[k] = c.deviation;
		out->is_sure[k] =
		    c.difference != 0 && __builtin_fabs(c.difference) >
					     least_deviations(d) * c.deviation;
	}
}

/* ---- text ---- */

static void
put_signed(struct ps_text *t, double value, bool is_bytes)
{
	char human[16];

	PS_ASSERT(!__builtin_isnan(value)); /* who has none says so */
	ps_text_char(t, value < 0 ? '-' : '+');
	value = value < 0 ? -value : value;
	ps_text_str(t, is_bytes ? ps_human_bytes(human, value)
				: ps_human_count(human, value));
}

static void
put_total(struct ps_text *t, const char *name, double old, double new,
	  bool is_bytes)
{
	char a[16];
	char b[16];

	ps_text_printf(
	    t, "  %-12s %12s %12s   ", name,
	    is_bytes ? ps_human_bytes(a, old) : ps_human_count(a, old),
	    is_bytes ? ps_human_bytes(b, new) : ps_human_count(b, new));
	if (!(old >= 0) || !(new >= 0)) {
		ps_text_str(t, "unknown\n");
		return;
	}
	put_signed(t, new - old, is_bytes);
	if (old > 0 && (new - old) / old < 100)
		ps_text_printf(
		    t, " (%s%d%%)", new < old ? "-" : "+",
		    (int)(100 * (new < old ? old - new : new - old) / old +
			  0.5));
	ps_text_char(t, '\n');
}

static void
put_side(struct ps_text *t, const char *which, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;

	ps_text_printf(t, "  %s  ", which);
	(void)ps_put_name(t, ps_reader_string(v->reader, p->name), 40);
	ps_text_str(t, "  ");
	ps_put_who(t, v->reader);
	ps_text_char(t, '\n');
}

static void
put_totals(const struct ps_diff *d)
{
	const struct ps_view *old = d->side[0]->view;
	const struct ps_view *new = d->side[1]->view;
	struct ps_text *t = d->out;

	ps_put_heading(t, "WHAT CHANGED", NULL);
	put_side(t, "old", old);
	put_side(t, "new", new);
	ps_text_printf(t, "\n  %-12s %12s %12s\n", "", "old", "new");
	put_total(t, "allocations", (double)old->allocations,
		  (double)new->allocations, false);
	put_total(t, "requested", (double)old->requested_bytes,
		  (double)new->requested_bytes, true);
	put_total(t, "peak heap", (double)old->peak_bytes,
		  (double)new->peak_bytes, true);
	put_total(t, "live", (double)old->live_bytes, (double)new->live_bytes,
		  true);
	put_total(t, "peak RSS", old->max_rss_bytes, new->max_rss_bytes, true);
}

static int
by_difference(const void *a, const void *b)
{
	double x = __builtin_fabs(((const struct change *)a)->difference);
	double y = __builtin_fabs(((const struct change *)b)->difference);

	return x > y ? -1 : x < y;
}

static void
put_change(const struct ps_diff *d, const struct change *c, unsigned key)
{
	const struct value *v = ps_paths_value(d->paths, c->path);
	bool is_bytes = key != PS_BY_ALLOCATIONS && key != PS_BY_TEMPORARY;
	const uint32_t *places;
	uint32_t count;
	char a[16];
	char b[16];

	put_signed(d->out, c->difference, is_bytes);
	ps_put_error(d->out, __builtin_fabs(c->difference), Z95 * c->deviation);
	ps_text_printf(d->out, "  from %s to %s\n",
		       is_bytes ? ps_human_bytes(a, v->sum[0][key])
				: ps_human_count(a, v->sum[0][key]),
		       is_bytes ? ps_human_bytes(b, v->sum[1][key])
				: ps_human_count(b, v->sum[1][key]));
	places = ps_paths_places(d->paths, c->path, &count);
	for (uint32_t i = 0; i < count && i < FRAMES_SHOWN; i++) {
		const struct ps_symbol *s =
		    ps_paths_symbol(d->paths, places[i]);
		char name[1024];
		struct ps_text text;

		ps_text_init(&text, name, sizeof(name), -1);
		ps_symbol_put_name(&text, s);
		ps_text_fill(d->out, ' ', 6);
		(void)ps_put_function(d->out, name, 70);
		ps_text_char(d->out, '\n');
	}
	if (count > FRAMES_SHOWN)
		ps_text_printf(d->out, "      ... %u more\n",
			       count - FRAMES_SHOWN);
}

static void
put_list(const struct ps_diff *d, unsigned key, const char *heading,
	 uint32_t top)
{
	uint32_t paths = ps_paths_count(d->paths);
	uint32_t changed = 0;
	uint32_t sure = 0;
	double z = least_deviations(d);

	PS_ASSERT(key < KEYS && top > 0);
	for (uint32_t i = 0; i < paths; i++) {
		struct change c = change_of(d, i, key);

		if (c.difference == 0)
			continue;
		changed++;
		if (__builtin_fabs(c.difference) > z * c.deviation)
			d->changes[sure++] = c;
	}
	PS_ASSERT(sure <= changed && changed <= paths);
	if (sure > 0)
		qsort(d->changes, sure, sizeof(*d->changes), by_difference);
	ps_put_heading(d->out, heading, sure == 0 ? "none" : NULL);
	for (uint32_t i = 0; i < sure && i < top; i++) {
		ps_text_printf(d->out, "%4u  ", i + 1);
		put_change(d, &d->changes[i], key);
	}
	if (sure > top)
		ps_text_printf(d->out, "  %u more stack%s\n", sure - top,
			       ps_plural(sure - top));
	if (changed > sure)
		ps_text_printf(d->out, "  %u stack%s by no more than noise\n",
			       changed - sure,
			       changed - sure == 1 ? " differs" : "s differ");
}

int
ps_diff_text(const struct ps_diff_side *old, const struct ps_diff_side *new,
	     uint32_t top, struct ps_scratch *scratch, struct ps_text *out)
{
	static const struct {
		unsigned key;
		const char *heading;
	} lists[] = {
	    {PS_BY_PEAK, "PEAK MEMORY, MORE THAN NOISE"},
	    {PS_BY_BYTES, "BYTES ALLOCATED, MORE THAN NOISE"},
	    {PS_BY_ALLOCATIONS, "ALLOCATIONS, MORE THAN NOISE"},
	    {PS_BY_LIVE, "LIVE AT THE END, MORE THAN NOISE"},
	    {PS_BY_TEMPORARY, "TEMPORARY ALLOCATIONS, MORE THAN NOISE"},
	};
	_Static_assert(PS_COUNT(lists) == KEYS, "a list of each value");
	struct ps_diff d = {.out = out};

	if (build(&d, old, new, scratch) != 0)
		return -ENOMEM;
	put_totals(&d);
	for (unsigned i = 0; i < PS_COUNT(lists); i++)
		put_list(&d, lists[i].key, lists[i].heading,
			 top == 0 ? DEFAULT_TOP : top);
	return 0;
}

int
ps_diff_folded(const struct ps_diff_side *old, const struct ps_diff_side *new,
	       enum ps_view_key key, struct ps_scratch *scratch,
	       struct ps_text *out)
{
	struct ps_diff d = {.out = out};

	PS_ASSERT((unsigned)key < KEYS);
	if (build(&d, old, new, scratch) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < ps_paths_count(d.paths); i++) {
		const struct value *v = ps_paths_value(d.paths, i);

		if (v->sum[0][key] < 0.5 && v->sum[1][key] < 0.5)
			continue;
		ps_folded_put_path(d.paths, i, out);
		ps_text_char(out, ' ');
		ps_text_fixed(out, v->sum[0][key], 0);
		ps_text_char(out, ' ');
		ps_text_fixed(out, v->sum[1][key], 0);
		ps_text_char(out, '\n');
	}
	return 0;
}
