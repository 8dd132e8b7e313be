/* SPDX-License-Identifier: MIT */
/*
 * callgrind - the sites as a call graph, for callgrind_annotate and KCachegrind
 *
 * A place of a path is a line of a function.  What a stack allocated is the own
 * cost of its leaf and an inclusive cost of each call in it.  A call that is in
 * one stack twice (recursion) gets the stack's cost once, and a function's call
 * of itself is left out: its readers add own and inclusive costs up, and would
 * count it again.
 *
 * Functions are written one after the other with all that is theirs, since the
 * format has no other way to say whose a line is; so places hang in a list of
 * their function's, and calls in one of their place's.
 */
#include <errno.h>

#include "report/callgrind.h"
#include "report/paths.h"

enum { COSTS = 5 };

static const struct {
	enum ps_view_key key;
	const char *event;
	const char *meaning;
} costs[COSTS] = {
    {PS_BY_BYTES, "Bytes", "bytes allocated"},
    {PS_BY_ALLOCATIONS, "Allocs", "allocations"},
    {PS_BY_PEAK, "Peak", "bytes at the peak of the heap"},
    {PS_BY_LIVE, "Live", "bytes live at the end"},
    {PS_BY_TEMPORARY, "Temp", "temporary allocations"},
};
_Static_assert(COSTS == PS_BY_TEMPORARY + 1, "every value is a cost");

/* Numbers of lists are one more than what they mean; 0 ends a list. */
struct function {
	uint32_t first_place;
	uint32_t object; /* numbers in `names` */
	uint32_t file;
	uint32_t name;
};

/* The first time, a name is written with its number. */
struct name {
	char *text;
	bool is_written;
};

struct place {
	double cost[COSTS];
	uint32_t function;
	uint32_t next;
	uint32_t first_call;
};

struct call {
	double cost[COSTS];
	double count;
	uint32_t callee; /* a function */
	uint32_t line;
	uint32_t next;
	uint32_t last_path; /* that has it, plus one */
};

struct call_key {
	uint32_t place;
	uint32_t callee;
};

struct graph {
	struct ps_paths *paths;
	struct ps_intern functions; /* name, file, module -> struct function */
	struct ps_intern calls;	    /* struct call_key -> struct call */
	struct ps_intern names;	    /* kind and name -> struct name */
	struct place *places;
	struct ps_scratch *scratch;
	struct ps_text *out;
};

static void
put_function(struct ps_text *t, const struct ps_symbol *s)
{
	ps_symbol_put_name(t, s);
	ps_text_printf(t, "\n%s\n%s", s->path == NULL ? "" : s->path,
		       s->module);
}

static void
put_place(struct ps_text *t, const struct ps_symbol *s)
{
	put_function(t, s);
	ps_text_printf(t, "\n%u", s->line);
}

/* ---- building ---- */

/* Files, objects and functions are numbered apart, by their kind. */
static int
number_name(struct graph *g, char kind, const char *name, uint32_t *number)
{
	char key[4096];
	struct ps_text text;
	int is_new;

	PS_ASSERT(kind == 'o' || kind == 'f' || kind == 'n');
	ps_text_init(&text, key, sizeof(key), -1);
	ps_text_char(&text, kind);
	ps_text_printable(&text, name);
	is_new = ps_intern(&g->names, key, text.length, number);
	if (is_new == 1) {
		struct name *known = ps_intern_value(&g->names, *number);

		known->text = ps_scratch_strdup(g->scratch, key + 1);
		if (known->text == NULL)
			return -ENOMEM;
	}
	return is_new < 0 ? is_new : 0;
}

static int
name_function(struct graph *g, const struct ps_symbol *s, struct function *f)
{
	char name[4096];
	struct ps_text text;

	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, s);
	if (number_name(g, 'o', s->module[0] == '\0' ? "???" : s->module,
			&f->object) != 0 ||
	    number_name(g, 'f', s->path == NULL ? "???" : s->path, &f->file) !=
		0)
		return -ENOMEM;
	return number_name(g, 'n', name, &f->name);
}

/* Which function each place is in. */
static int
find_functions(struct graph *g, uint32_t places)
{
	for (uint32_t i = 0; i < places; i++) {
		char key[4096];
		struct ps_text text;
		struct function *f;
		const struct ps_symbol *s = ps_paths_symbol(g->paths, i);
		uint32_t number;

		ps_text_init(&text, key, sizeof(key), -1);
		put_function(&text, s);
		if (ps_intern(&g->functions, key, text.length, &number) < 0)
			return -ENOMEM;
		f = ps_intern_value(&g->functions, number);
		if (f->first_place == 0 && name_function(g, s, f) != 0)
			return -ENOMEM;
		g->places[i].function = number;
		g->places[i].next = f->first_place;
		f->first_place = i + 1;
	}
	PS_ASSERT(g->functions.count <= places);
	return 0;
}

static int
add_call(struct graph *g, uint32_t caller, uint32_t callee, uint32_t path)
{
	const double *cost = ps_paths_value(g->paths, path);
	struct call_key key = {caller, g->places[callee].function};
	struct call *call;
	uint32_t number;
	int is_new;

	if (key.callee == g->places[caller].function)
		return 0;
	is_new = ps_intern(&g->calls, &key, sizeof(key), &number);
	if (is_new < 0)
		return -ENOMEM;
	call = ps_intern_value(&g->calls, number);
	if (is_new) {
		call->callee = key.callee;
		call->line = ps_paths_symbol(g->paths, callee)->line;
		call->next = g->places[caller].first_call;
		g->places[caller].first_call = number + 1;
	}
	/* One path after the other, so the last one is known to be this one. */
	PS_ASSERT(call->last_path <= path + 1);
	if (call->last_path == path + 1)
		return 0;
	call->last_path = path + 1;
	for (unsigned i = 0; i < COSTS; i++)
		call->cost[i] += cost[i];
	call->count += cost[1];
	return 0;
}

static int
add_path(struct graph *g, uint32_t path)
{
	const double *cost = ps_paths_value(g->paths, path);
	uint32_t count;
	const uint32_t *places = ps_paths_places(g->paths, path, &count);

	PS_ASSERT(count > 0);
	for (unsigned i = 0; i < COSTS; i++)
		g->places[places[0]].cost[i] += cost[i];
	for (uint32_t i = 1; i < count; i++)
		if (add_call(g, places[i], places[i - 1], path) != 0)
			return -ENOMEM;
	return 0;
}

static int
add_sites(struct ps_paths *paths, const struct ps_view *v)
{
	for (uint32_t i = 0; i < v->site_count; i++) {
		uint32_t path;
		double *cost;

		if (ps_paths_add(paths, v->sites[i].site, &path) != 0)
			return -ENOMEM;
		cost = ps_paths_value(paths, path);
		for (unsigned c = 0; c < COSTS; c++)
			cost[c] += ps_view_value(&v->sites[i], costs[c].key);
	}
	return 0;
}

static int
build(struct graph *g, const struct ps_view *v, struct ps_symbols *symbols,
      struct ps_scratch *scratch)
{
	uint32_t places;

	PS_ASSERT(costs[1].key == PS_BY_ALLOCATIONS); /* add_call counts them */
	ps_intern_init(&g->functions, scratch, true, sizeof(struct function));
	ps_intern_init(&g->calls, scratch, true, sizeof(struct call));
	ps_intern_init(&g->names, scratch, true, sizeof(struct name));
	g->scratch = scratch;
	g->paths = ps_paths_new(scratch, put_place, COSTS * sizeof(double));
	if (g->paths == NULL ||
	    ps_paths_use(g->paths, v->reader, symbols, NULL) != 0 ||
	    add_sites(g->paths, v) != 0)
		return -ENOMEM;
	PS_ASSERT(ps_paths_count(g->paths) <= v->site_count);
	places = ps_paths_place_count(g->paths);
	g->places = ps_scratch_array(scratch, places, sizeof(*g->places));
	if (g->places == NULL || find_functions(g, places) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < ps_paths_count(g->paths); i++)
		if (add_path(g, i) != 0)
			return -ENOMEM;
	return 0;
}

/* ---- writing ---- */

/* "fn=(3) name", and without the name when it was said before. */
static void
put_named(struct graph *g, const char *what, uint32_t number)
{
	struct name *name = ps_intern_value(&g->names, number);

	PS_ASSERT(name->text != NULL);
	ps_text_str(g->out, what);
	ps_text_str(g->out, "=(");
	ps_text_u64(g->out, number + 1);
	ps_text_char(g->out, ')');
	if (!name->is_written) {
		ps_text_char(g->out, ' ');
		ps_text_str(g->out, name->text);
		name->is_written = true;
	}
	ps_text_char(g->out, '\n');
}

static void
put_function_head(struct graph *g, const struct function *f)
{
	put_named(g, "ob", f->object);
	put_named(g, "fl", f->file);
	put_named(g, "fn", f->name);
}

/* Of a callee, object and file are the caller's unless they are said. */
static void
put_callee(struct graph *g, const struct function *f,
	   const struct function *caller)
{
	if (f->object != caller->object)
		put_named(g, "cob", f->object);
	if (f->file != caller->file)
		put_named(g, "cfi", f->file);
	put_named(g, "cfn", f->name);
}

/* Rounded; below 2^63, as sums of what fits an address space are. */
static void
put_cost(struct ps_text *t, double cost)
{
	PS_ASSERT(cost >= 0);
	if (cost < 0x1p63)
		ps_text_u64(t, (uint64_t)(cost + 0.5));
	else
		ps_text_fixed(t, cost, 0);
}

static void
put_costs(struct ps_text *t, uint32_t line, const double *cost)
{
	ps_text_u64(t, line);
	for (unsigned i = 0; i < COSTS; i++) {
		ps_text_char(t, ' ');
		put_cost(t, cost[i]);
	}
	ps_text_char(t, '\n');
}

static void
put_calls(struct graph *g, uint32_t line, const struct function *caller,
	  uint32_t first)
{
	while (first != 0) {
		const struct call *call = ps_intern_value(&g->calls, first - 1);

		PS_ASSERT(call->next < first); /* the list ends */
		put_callee(g, ps_intern_value(&g->functions, call->callee),
			   caller);
		ps_text_str(g->out, "calls=");
		put_cost(g->out, call->count);
		ps_text_char(g->out, ' ');
		ps_text_u64(g->out, call->line);
		ps_text_char(g->out, '\n');
		put_costs(g->out, line, call->cost);
		first = call->next;
	}
}

static void
put_graph(struct graph *g)
{
	for (uint32_t i = 0; i < g->functions.count; i++) {
		const struct function *f = ps_intern_value(&g->functions, i);

		ps_text_char(g->out, '\n');
		put_function_head(g, f);
		for (uint32_t p = f->first_place; p != 0;
		     p = g->places[p - 1].next) {
			const struct place *place = &g->places[p - 1];
			uint32_t line = ps_paths_symbol(g->paths, p - 1)->line;

			PS_ASSERT(place->next < p); /* the list ends */
			if (place->cost[0] > 0 || place->cost[1] > 0)
				put_costs(g->out, line, place->cost);
			put_calls(g, line, f, place->first_call);
		}
	}
}

static void
put_head(const struct graph *g, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;
	double total[COSTS] = {0};

	ps_text_printf(g->out,
		       "# callgrind format\nversion: 1\ncreator: perfshim %s\n"
		       "pid: %d\ncmd: ",
		       PS_VERSION, p->pid);
	ps_text_printable(g->out, ps_reader_string(v->reader, p->exe));
	ps_text_str(g->out, "\npositions: line\n");
	for (unsigned i = 0; i < COSTS; i++)
		ps_text_printf(g->out, "event: %s : %s\n", costs[i].event,
			       costs[i].meaning);
	ps_text_str(g->out, "events:");
	for (unsigned i = 0; i < COSTS; i++)
		ps_text_printf(g->out, " %s", costs[i].event);
	for (uint32_t i = 0; i < ps_paths_count(g->paths); i++)
		for (unsigned c = 0; c < COSTS; c++)
			total[c] += ((double *)ps_paths_value(g->paths, i))[c];
	ps_text_str(g->out, "\nsummary:");
	for (unsigned i = 0; i < COSTS; i++) {
		ps_text_char(g->out, ' ');
		ps_text_fixed(g->out, total[i], 0);
	}
	ps_text_char(g->out, '\n');
}

int
ps_callgrind(const struct ps_view *v, struct ps_symbols *symbols,
	     struct ps_scratch *scratch, struct ps_text *out)
{
	struct graph g = {.out = out};

	if (build(&g, v, symbols, scratch) != 0)
		return -ENOMEM;
	put_head(&g, v);
	put_graph(&g);
	return 0;
}
