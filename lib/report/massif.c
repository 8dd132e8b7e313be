/* SPDX-License-Identifier: MIT */
/*
 * massif - the heap over time and at its peak, for ms_print and its viewers
 *
 * The format is what valgrind's massif writes: snapshots in the order of time,
 * two of them detailed here (the peak and the end) with a tree that starts at
 * the allocating functions and branches into their callers.  The tree comes
 * from sorting the paths by their places, leaf first: a node is a run of
 * paths that begin alike.  What is below 1 % of the snapshot is one line, as
 * massif has it.
 *
 * The heap of a snapshot is exact, the sites' bytes are estimates of what was
 * requested.  What they lack is a node of its own; when they have too much, all
 * are scaled down, because ms_print refuses a part larger than the whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/massif.h"
#include "report/paths.h"

enum { SNAPSHOTS_MAX = 100, DEPTH_MAX = 64 };
#define THRESHOLD 0.01

struct value {
	double peak;
	double live;
};

struct branch {
	const uint32_t *places;
	uint32_t count;
	double bytes;
};

struct tree {
	struct ps_paths *paths;
	struct branch *branches;
	struct ps_text *out;
	double least; /* bytes of a node that is told */
};

/* "main (main.c:12)", and the module where there is no line. */
static void
put_place(struct ps_text *t, const struct ps_symbol *s)
{
	ps_text_printf(t, "0x%lx: ", (unsigned long)s->offset);
	ps_symbol_put_name(t, s);
	if (s->file != NULL && s->line != 0) {
		ps_text_str(t, " (");
		ps_text_printable(t, s->file);
		ps_text_printf(t, ":%u)", s->line);
	} else {
		ps_text_str(t, " (in ");
		ps_text_printable(t, s->module);
		ps_text_char(t, ')');
	}
}

/* ---- the tree ---- */

static int
by_places(const void *a, const void *b)
{
	const struct branch *x = a;
	const struct branch *y = b;

	for (uint32_t i = 0; i < x->count && i < y->count; i++)
		if (x->places[i] != y->places[i])
			return x->places[i] < y->places[i] ? -1 : 1;
	return x->count < y->count ? -1 : x->count > y->count;
}

/* End of the run of branches from `first` that agree at `depth`. */
static uint32_t
run_end(const struct tree *t, uint32_t first, uint32_t end, uint32_t depth)
{
	uint32_t i = first + 1;

	PS_ASSERT(first < end && t->branches[first].count > depth);
	while (i < end && t->branches[i].count > depth &&
	       t->branches[i].places[depth] == t->branches[first].places[depth])
		i++;
	return i;
}

static double
bytes_of(const struct tree *t, uint32_t first, uint32_t end)
{
	double bytes = 0;

	while (first < end)
		bytes += t->branches[first++].bytes;
	return bytes;
}

/* Paths that end here come first: they have no place at this depth. */
static uint32_t
skip_ended(const struct tree *t, uint32_t first, uint32_t end, uint32_t depth)
{
	while (first < end && t->branches[first].count <= depth)
		first++;
	return first;
}

static void
put_line(const struct tree *t, uint32_t depth, uint32_t children, double bytes)
{
	ps_text_fill(t->out, ' ', (int)depth);
	ps_text_printf(t->out, "n%u: ", children);
	ps_text_fixed(t->out, bytes, 0);
	ps_text_char(t->out, ' ');
}

struct children {
	uint32_t told;
	uint32_t small;
	double small_bytes;
};

static struct children
count_children(const struct tree *t, uint32_t first, uint32_t end,
	       uint32_t depth)
{
	struct children c = {0};

	for (uint32_t i = first; i < end;) {
		uint32_t next = run_end(t, i, end, depth);
		double bytes = bytes_of(t, i, next);

		if (bytes >= t->least) {
			c.told++;
		} else {
			c.small++;
			c.small_bytes += bytes;
		}
		i = next;
	}
	return c;
}

static void
put_small(const struct tree *t, const struct children *c, uint32_t depth)
{
	if (c->small == 0)
		return;
	put_line(t, depth, 0, c->small_bytes);
	ps_text_printf(
	    t->out, "in %u place%s, %sbelow massif's threshold (1.00%%)\n",
	    c->small, c->small == 1 ? "" : "s", c->small == 1 ? "" : "all ");
}

/* Depth is bounded by PS_STACK_NAMES_MAX; massif's own default is 30. */
static void
put_nodes(const struct tree *t, uint32_t first, uint32_t end, uint32_t depth)
{
	struct children below;

	PS_ASSERT(depth < DEPTH_MAX);
	for (uint32_t i = first; i < end;) {
		uint32_t next = run_end(t, i, end, depth);
		uint32_t inner = skip_ended(t, i, next, depth + 1);
		double bytes = bytes_of(t, i, next);
		bool is_last = depth + 1 >= DEPTH_MAX;

		PS_ASSERT(inner <= next && next <= end);
		if (bytes >= t->least) {
			below = count_children(t, is_last ? next : inner, next,
					       depth + 1);
			put_line(t, depth + 1, below.told + (below.small > 0),
				 bytes);
			put_place(t->out,
				  ps_paths_symbol(
				      t->paths, t->branches[i].places[depth]));
			ps_text_char(t->out, '\n');
			if (!is_last)
				put_nodes(t, inner, next, depth + 1);
			put_small(t, &below, depth + 2);
		}
		i = next;
	}
}

static void
put_tree(struct tree *t, const char *kind, bool is_peak, double total)
{
	uint32_t count = ps_paths_count(t->paths);
	struct children below;
	double known = 0;
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct value *value = ps_paths_value(t->paths, i);
		struct branch *b = &t->branches[used];

		b->bytes = is_peak ? value->peak : value->live;
		b->places = ps_paths_places(t->paths, i, &b->count);
		known += b->bytes;
		used += b->bytes > 0;
	}
	PS_ASSERT(used <= count && known >= 0 && total >= 0);
	if (known > total) {
		for (uint32_t i = 0; i < used; i++)
			t->branches[i].bytes *= total / known;
		known = total;
	}
	qsort(t->branches, used, sizeof(*t->branches), by_places);
	t->least = PS_MAX(total * THRESHOLD, 1.0);
	below = count_children(t, 0, used, 0);
	ps_text_printf(t->out, "heap_tree=%s\n", kind);
	put_line(t, 0, below.told + (below.small > 0) + (total > known), total);
	ps_text_str(t->out, "(heap allocation functions) malloc/new/new[], "
			    "--alloc-fns, etc.\n");
	put_nodes(t, 0, used, 0);
	put_small(t, &below, 1);
	if (total > known) {
		put_line(t, 1, 0, total - known);
		ps_text_str(t->out, "0x0: (not sampled, and rounding up of "
				    "blocks) (in perfshim)\n");
	}
}

/* ---- snapshots ---- */

static void
put_snapshot(struct ps_text *t, unsigned *number, double at_s, double bytes)
{
	ps_text_printf(
	    t, "#-----------\nsnapshot=%u\n#-----------\ntime=", (*number)++);
	ps_text_fixed(t, at_s > 0 ? at_s * 1e3 : 0, 0);
	ps_text_str(t, "\nmem_heap_B=");
	ps_text_fixed(t, bytes, 0);
	ps_text_str(t, "\nmem_heap_extra_B=0\nmem_stacks_B=0\n");
}

static double
highest(const struct ps_record_timeline *timeline, uint32_t from, uint32_t to)
{
	uint64_t most = 0;

	PS_ASSERT(from <= to && to <= PS_TIMELINE_SLOTS);
	for (; from < to; from++) {
		uint64_t bytes = ps_peek(&timeline->tick[from].live_bytes);

		most = PS_MAX(most, bytes);
	}
	return (double)most;
}

static void
put_peak(const struct ps_view *v, struct tree *tree, unsigned *number,
	 double at_s)
{
	put_snapshot(tree->out, number, at_s, (double)v->peak_bytes);
	put_tree(tree, "peak", true, (double)v->peak_bytes);
}

static void
put_snapshots(const struct ps_view *v, struct tree *tree)
{
	const struct ps_record_timeline *timeline =
	    &v->reader->header->timeline;
	uint32_t slots = ps_reader_slots(v->reader);
	uint32_t step = (slots + SNAPSHOTS_MAX - 1) / SNAPSHOTS_MAX;
	double slot_s = (double)ps_peek(&timeline->step_ticks) *
			ps_reader_tick_seconds(v->reader);
	double peak_s = v->peak_at_s >= 0 ? v->peak_at_s : 0.0;
	double end_s =
	    PS_MAX(peak_s, v->wall_s > 0 ? v->wall_s : slot_s * slots);
	bool has_peak = false;
	unsigned number = 0;

	put_snapshot(tree->out, &number, 0, 0);
	ps_text_str(tree->out, "heap_tree=empty\n");
	for (uint32_t i = 0; step > 0 && i + step <= slots; i += step) {
		double at_s = PS_MIN(slot_s * (i + step), end_s);

		if (!has_peak && at_s >= peak_s) {
			put_peak(v, tree, &number, peak_s);
			has_peak = true;
		}
		put_snapshot(tree->out, &number, at_s,
			     highest(timeline, i, i + step));
		ps_text_str(tree->out, "heap_tree=empty\n");
	}
	if (!has_peak)
		put_peak(v, tree, &number, peak_s);
	put_snapshot(tree->out, &number, end_s, (double)v->live_bytes);
	put_tree(tree, "detailed", false, (double)v->live_bytes);
	/* The beginning, the peak and the end beside those of the timeline. */
	PS_ASSERT(number <= SNAPSHOTS_MAX + 3);
}

int
ps_massif(const struct ps_view *v, struct ps_symbols *symbols,
	  struct ps_scratch *scratch, struct ps_text *out)
{
	const struct ps_record_process *p = &v->reader->header->process;
	struct tree tree = {.out = out};

	tree.paths = ps_paths_new(scratch, put_place, sizeof(struct value));
	tree.branches =
	    ps_scratch_array(scratch, v->site_count, sizeof(*tree.branches));
	if (tree.paths == NULL || tree.branches == NULL ||
	    ps_paths_use(tree.paths, v->reader, symbols, NULL) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->site_count; i++) {
		struct value *value;
		uint32_t path;

		if (ps_paths_add(tree.paths, v->sites[i].site, &path) != 0)
			return -ENOMEM;
		value = ps_paths_value(tree.paths, path);
		value->peak += v->sites[i].peak_bytes;
		value->live += v->sites[i].live_bytes;
	}
	PS_ASSERT(ps_paths_count(tree.paths) <= v->site_count);
	ps_text_printf(out, "desc: perfshim %s, pid %d\ncmd: ", PS_VERSION,
		       p->pid);
	ps_text_printable(out, ps_reader_string(v->reader, p->exe));
	ps_text_str(out, "\ntime_unit: ms\n");
	put_snapshots(v, &tree);
	return 0;
}
