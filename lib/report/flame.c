/* SPDX-License-Identifier: MIT */
/*
 * flame - the stacks as one tree, for the flame graphs of the page
 *
 * The paths are put in order, outermost place first; then a node of the tree is
 * a run of paths that begin alike, and one walk with a stack of open nodes sees
 * all of them, each with its sum when it closes.  Nodes are numbered as they
 * open, parents before their children.
 *
 * A full recording has two million nodes, and a browser that must open in two
 * seconds can draw some thousands.  So the tree is cut to a number of nodes:
 * those stay that have the greatest share of the whole in the value that they
 * have most of.  No node has a greater share than its parent, hence what stays
 * is a tree, and its figures are those of the whole one.  A first walk finds
 * the shares, a second one keeps what passes.  A limit on depth or on share was
 * not taken: either shows too little of small recordings or too much of large
 * ones.  Nor was a tree in memory: it took 500 MiB for a full recording.
 *
 * Memory: 8 bytes a node, 200 for each that is kept.
 */
#include <errno.h>
#include <stdlib.h>

#include "measure/real.h"
#include "report/flame.h"

#define Z95 1.96
enum { NO_NODE = -1, LEVELS_MAX = PS_STACK_NAMES_MAX + 2 };

/* A node that is open. */
struct level {
	uint32_t number;
	uint32_t place;
	int32_t kept; /* its number among those that are kept, or NO_NODE */
	struct ps_flame_value value;
};

struct node {
	int32_t parent; /* NO_NODE: the root */
	uint32_t place;
	struct ps_flame_value value;
};

struct flame {
	const struct ps_paths *paths;
	unsigned sides;
	ps_flame_valuer *value;
	void *context;
	uint32_t *order; /* of paths */
	double *shares;	 /* by number of the node */
	struct level *levels;
	uint32_t numbered;
	struct node *nodes; /* that are kept; 0 is the root */
	uint32_t kept;
	double least; /* share of what is kept; of equal ones the first */
	uint32_t ties;
	struct ps_flame_value all;
	int32_t *frames; /* by place: its number in `frames`, or NO_NODE */
	struct ps_scratch *scratch;
	struct ps_text *out;
};

static void
add_value(const struct flame *f, struct ps_flame_value *sum,
	  const struct ps_flame_value *more)
{
	for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
		for (unsigned side = 0; side < f->sides; side++)
			sum->sum[side][k] += more->sum[side][k];
		sum->variance[k] += more->variance[k];
	}
}

/* ---- order ---- */

static int
by_places(const void *a, const void *b, void *paths)
{
	uint32_t m;
	uint32_t n;
	const uint32_t *x = ps_paths_places(paths, *(const uint32_t *)a, &m);
	const uint32_t *y = ps_paths_places(paths, *(const uint32_t *)b, &n);

	while (m > 0 && n > 0) {
		m--;
		n--;
		if (x[m] != y[n])
			return x[m] < y[n] ? -1 : 1;
	}
	return m < n ? -1 : m > n;
}

static int
prepare(struct flame *f, uint32_t most)
{
	uint32_t count = ps_paths_count(f->paths);
	size_t places = 1;
	uint32_t depth;

	f->order = ps_scratch_array(f->scratch, count, sizeof(*f->order));
	if (f->order == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct ps_flame_value v = {0};

		f->order[i] = i;
		(void)ps_paths_places(f->paths, i, &depth);
		places += depth;
		f->value(f->context, i, &v);
		add_value(f, &f->all, &v);
	}
	PS_ASSERT(places > count); /* each path has one, at least */
	qsort_r(f->order, count, sizeof(*f->order), by_places,
		(void *)f->paths);
	f->shares = ps_scratch_alloc(f->scratch, places * sizeof(*f->shares));
	f->levels =
	    ps_scratch_alloc(f->scratch, LEVELS_MAX * sizeof(*f->levels));
	f->nodes = ps_scratch_alloc(f->scratch,
				    PS_MIN(most, places) * sizeof(*f->nodes));
	return f->shares == NULL || f->levels == NULL || f->nodes == NULL
		   ? -ENOMEM
		   : 0;
}

/* ---- walking ---- */

struct walk {
	void (*opened)(struct flame *f, struct level *level);
	void (*closed)(struct flame *f, const struct level *level);
};

static void
open_level(struct flame *f, const struct walk *w, uint32_t at, uint32_t place)
{
	struct level *level = &f->levels[at];

	PS_ASSERT(at < LEVELS_MAX);
	PS_ASSERT(at > 0 || f->numbered == 0);
	*level = (struct level){.number = f->numbered++, .place = place};
	if (w->opened != NULL)
		w->opened(f, level);
}

static void
close_to(struct flame *f, const struct walk *w, uint32_t depth, uint32_t *open)
{
	for (; *open > depth; --*open) {
		const struct level *level = &f->levels[*open - 1];

		w->closed(f, level);
		if (*open > 1)
			add_value(f, &f->levels[*open - 2].value,
				  &level->value);
	}
}

/* Level 0 is the root, level n + 1 the path's place n from its outer end. */
static void
walk(struct flame *f, const struct walk *w)
{
	uint32_t open = 1;

	f->numbered = 0;
	open_level(f, w, 0, UINT32_MAX);
	for (uint32_t i = 0; i < ps_paths_count(f->paths); i++) {
		struct ps_flame_value v = {0};
		uint32_t count;
		const uint32_t *places =
		    ps_paths_places(f->paths, f->order[i], &count);
		uint32_t common = 0;

		while (common < count && common + 1 < open &&
		       f->levels[common + 1].place ==
			   places[count - 1 - common])
			common++;
		close_to(f, w, common + 1, &open);
		for (; common < count; common++)
			open_level(f, w, open++, places[count - 1 - common]);
		PS_ASSERT(open == count + 1);
		f->value(f->context, f->order[i], &v);
		add_value(f, &f->levels[count].value, &v);
	}
	close_to(f, w, 0, &open);
	PS_ASSERT(open == 0);
}

/* ---- cutting ---- */

static void
note_share(struct flame *f, const struct level *level)
{
	double share = level->number == 0;

	PS_ASSERT(level->number < f->numbered);
	for (unsigned side = 0; side < f->sides; side++)
		for (unsigned k = 0; k < PS_FLAME_KEYS; k++)
			if (f->all.sum[side][k] > 0)
				share =
				    PS_MAX(share, level->value.sum[side][k] /
						      f->all.sum[side][k]);
	f->shares[level->number] = share;
}

static int
greater_first(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x > y ? -1 : x < y;
}

/* The share of node number `most`, by share, and how many of just that share
 * are kept. */
static int
find_least(struct flame *f, uint32_t most)
{
	double *sorted =
	    ps_scratch_alloc(f->scratch, f->numbered * sizeof(*sorted));
	uint32_t above = 0;

	if (sorted == NULL)
		return -ENOMEM;
	if (f->numbered <= most) {
		f->least = 0; /* of nothing there is nothing to be seen */
		return 0;
	}
	for (uint32_t i = 0; i < f->numbered; i++)
		sorted[i] = f->shares[i];
	qsort(sorted, f->numbered, sizeof(*sorted), greater_first);
	PS_ASSERT(most > 0);
	f->least = sorted[most - 1];
	while (above < most && sorted[above] > f->least)
		above++;
	f->ties = f->least > 0 ? most - above : 0;
	return 0;
}

static void
decide(struct flame *f, struct level *level)
{
	double share = f->shares[level->number];
	bool is_tie = share == f->least && f->ties > 0;

	PS_ASSERT(level->number < f->numbered);
	level->kept = NO_NODE;
	if (level->number > 0 && share <= f->least && !is_tie)
		return;
	f->ties -= is_tie;
	level->kept = (int32_t)f->kept++;
}

static void
keep(struct flame *f, const struct level *level)
{
	if (level->kept == NO_NODE)
		return;
	/* A sum of what is not below zero is no less than any part of it, even
	 * rounded. */
	PS_ASSERT(level == f->levels || level[-1].kept >= 0);
	PS_ASSERT((uint32_t)level->kept < f->kept);
	f->nodes[level->kept] = (struct node){
	    .parent = level == f->levels ? NO_NODE : level[-1].kept,
	    .place = level->place,
	    .value = level->value,
	};
}

static int
build(struct flame *f, uint32_t most)
{
	static const struct walk look = {.closed = note_share};
	static const struct walk take = {.opened = decide, .closed = keep};

	if (prepare(f, most) != 0)
		return -ENOMEM;
	walk(f, &look);
	if (find_least(f, most) != 0)
		return -ENOMEM;
	walk(f, &take);
	PS_ASSERT(f->kept <= most);
	return 0;
}

/* ---- writing ---- */

static void
put_frame(struct ps_text *t, const struct ps_symbol *s)
{
	char name[2048];
	struct ps_text text;

	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, s);
	ps_text_char(t, '[');
	ps_text_json_string(t, name);
	ps_text_char(t, ',');
	ps_text_json_string(t, s->module);
	ps_text_char(t, ',');
	ps_text_json_string(t, s->file == NULL ? "" : s->file);
	ps_text_char(t, ']');
}

/* Those places that a node has, each once. */
static int
put_frames(struct flame *f)
{
	uint32_t places = ps_paths_place_count(f->paths);
	int32_t count = 0;

	f->frames = ps_scratch_array(f->scratch, places, sizeof(*f->frames));
	if (f->frames == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < places; i++)
		f->frames[i] = NO_NODE;
	ps_text_str(f->out, "\"frames\":[");
	for (uint32_t i = 1; i < f->kept; i++) {
		uint32_t place = f->nodes[i].place;

		PS_ASSERT(place < places); /* only the root has none */
		if (f->frames[place] != NO_NODE)
			continue;
		if (count > 0)
			ps_text_char(f->out, ',');
		f->frames[place] = count++;
		put_frame(f->out, ps_paths_symbol(f->paths, place));
	}
	ps_text_char(f->out, ']');
	return 0;
}

/* One column: of each node, what `of` says. */
static void
put_column(const struct flame *f, const char *name, unsigned side, unsigned key,
	   double (*of)(const struct flame *f, const struct node *n,
			unsigned side, unsigned key))
{
	ps_text_char(f->out, ',');
	ps_text_json_string(f->out, name);
	ps_text_str(f->out, ":[");
	for (uint32_t i = 0; i < f->kept; i++) {
		if (i > 0)
			ps_text_char(f->out, ',');
		ps_text_fixed(f->out, of(f, &f->nodes[i], side, key), 0);
	}
	ps_text_char(f->out, ']');
}

static double
parent_of(const struct flame *f, const struct node *n, unsigned side,
	  unsigned key)
{
	(void)f;
	(void)side;
	(void)key;
	return n->parent;
}

static double
frame_of(const struct flame *f, const struct node *n, unsigned side,
	 unsigned key)
{
	(void)side;
	(void)key;
	return n == f->nodes ? -1 : f->frames[n->place];
}

static double
sum_of(const struct flame *f, const struct node *n, unsigned side, unsigned key)
{
	PS_ASSERT(side < f->sides && key < PS_FLAME_KEYS);
	return n->value.sum[side][key];
}

static double
error_of(const struct flame *f, const struct node *n, unsigned side,
	 unsigned key)
{
	PS_ASSERT(side < f->sides && key < PS_FLAME_KEYS);
	return Z95 * ps_sqrt(n->value.variance[key]);
}

static void
put_values(const struct flame *f)
{
	char name[32];

	for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
		struct ps_text text;

		put_column(f, ps_flame_key_name(k), f->sides - 1, k, sum_of);
		ps_text_init(&text, name, sizeof(name), -1);
		ps_text_printf(&text, "%s_error", ps_flame_key_name(k));
		put_column(f, name, 0, k, error_of);
		if (f->sides == 1)
			continue;
		ps_text_init(&text, name, sizeof(name), -1);
		ps_text_printf(&text, "%s_old", ps_flame_key_name(k));
		put_column(f, name, 0, k, sum_of);
	}
}

int
ps_flame_json(const struct ps_paths *paths, unsigned sides,
	      ps_flame_valuer *value, void *context, uint32_t most_nodes,
	      struct ps_scratch *scratch, struct ps_text *out)
{
	struct flame f = {.paths = paths,
			  .sides = sides,
			  .value = value,
			  .context = context,
			  .scratch = scratch,
			  .out = out};

	PS_ASSERT(sides >= 1 && sides <= PS_FLAME_SIDES && most_nodes > 0);
	if (build(&f, most_nodes) != 0)
		return -ENOMEM;
	ps_text_char(out, '{');
	if (put_frames(&f) != 0)
		return -ENOMEM;
	put_column(&f, "parent", 0, 0, parent_of);
	put_column(&f, "frame", 0, 0, frame_of);
	put_values(&f);
	PS_ASSERT(f.kept > 0 && f.kept <= f.numbered);
	ps_text_printf(
	    out, ",\"left_out\":%u,\"least_share\":", f.numbered - f.kept);
	ps_text_json_number(out, f.least);
	ps_text_char(out, '}');
	return 0;
}
