/* SPDX-License-Identifier: MIT */
/*
 * cli_page - perfreport --html: the report as one self-contained page
 *
 * The page's data is one JSON document: of each program its JSON report, as
 * --json writes it, and beside it what only the page shows (cli_page_detail.h).
 * So a figure of the page is the figure of --json, and whoever has a page has
 * its data.
 *
 * A directory is told by executable, the processes of each merged: a build's
 * thousand compilers are one program of a thousand processes.  The heaviest
 * PROGRAMS_MAX are in the page.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_groups.h"
#include "report/cli_page.h"
#include "report/cli_page_detail.h"
#include "report/cli_page_file.h"
#include "report/cli_page_shell.h"
#include "report/cli_tree_table.h"
#include "report/diff.h"
#include "report/flame.h"

#define Z95 1.96
enum { PROGRAMS_MAX = 8, PIDS_MAX = 16, CHANGES_MAX = 500, SMALL_MAX = 200 };

bool
ps_page_is_there(void)
{
	size_t bytes;

	(void)ps_page_shell(&bytes);
	if (bytes > 0)
		return true;
	fputs("perfreport: --html: this perfreport was built without its page "
	      "(HTML=off, or no npm); with npm, `make` builds it\n",
	      stderr);
	return false;
}

/* Opens the document; ps_page_file_close comes after, in any case. */
static int
begin(struct ps_page_file *f, const char *kind)
{
	int error = ps_page_file_open(f);

	ps_text_printf(&f->data,
		       "{\"schema\":\"perfshim-page/1\",\"version\":\"%s\","
		       "\"kind\":\"%s\"",
		       PS_VERSION, kind);
	return error;
}

static int
end(struct ps_page_file *f, int error, struct ps_text *out)
{
	ps_text_str(&f->data, "}\n");
	error = ps_page_file_close(f, error, out);
	PS_ASSERT(error <= 0);
	if (error != 0)
		fprintf(stderr, "perfreport: --html: %s\n", strerror(-error));
	return error;
}

/* ---- programs ----------------------------------------------------------- */

/* "report" and "detail" of an object that is open. */
static int
put_source(struct ps_source *s, struct ps_text *t)
{
	int error;

	PS_ASSERT(s->view.reader == s->reader && s->symbols != NULL);
	ps_text_str(t, ",\"report\":");
	error = ps_report_write_view(&s->view, s->symbols, &s->scratch,
				     PS_REPORT_JSON, NULL, t);
	ps_text_str(t, ",\"detail\":");
	return error != 0 ? error : ps_page_detail(s, t);
}

static void
put_group(const struct ps_group *g, struct ps_text *t)
{
	uint32_t shown = PS_MIN(g->count, (uint32_t)PIDS_MAX);

	ps_text_str(t, "{\"name\":");
	ps_text_json_string(t, ps_group_name(g));
	ps_text_printf(t, ",\"processes\":%u,\"greatest_peak_bytes\":%lu",
		       g->count, (unsigned long)g->greatest_peak);
	ps_text_str(t, ",\"pids\":[");
	for (uint32_t i = 0; i < shown; i++)
		ps_text_printf(t, "%s%d", i == 0 ? "" : ",",
			       g->readers[i]->header->process.pid);
	ps_text_char(t, ']');
}

/* How it ended is known of one process, not of several. */
static struct ps_report_options
options_of(const struct ps_arguments *a, const struct ps_tree *tree,
	   int main_node, const struct ps_group *g)
{
	struct ps_report_options options = {.exit_code = -1};

	if (g->count != 1)
		return options;
	for (int i = 0; i < tree->count; i++) {
		if (&tree->nodes[i].reader != g->readers[0])
			continue;
		if (i == main_node)
			options = a->options;
		options.has_ended =
		    ps_tree_is_gone(&tree->nodes[i]) || options.exit_code >= 0;
	}
	return options;
}

static int
put_program(const struct ps_arguments *a, const struct ps_tree *tree,
	    int main_node, const struct ps_group *g, struct ps_text *t)
{
	const struct ps_report_options options =
	    options_of(a, tree, main_node, g);
	const struct ps_reader *reader =
	    g->count == 1 ? g->readers[0] : &g->merged;
	struct ps_source source;
	int error = ps_source_open(&source, reader, ps_group_name(g),
				   &a->filter, &options);

	if (error != 0)
		return error;
	put_group(g, t);
	error = put_source(&source, t);
	ps_text_char(t, '}');
	ps_source_close(&source);
	return error;
}

static bool
is_of_node(const struct ps_group *g, const struct ps_tree *tree, int node)
{
	for (uint32_t i = 0; i < g->count; i++)
		if (g->readers[i] == &tree->nodes[node].reader)
			return true;
	return false;
}

static int
heaviest_first(const void *a, const void *b)
{
	uint64_t x = ((const struct ps_group *)a)->peak_bytes;
	uint64_t y = ((const struct ps_group *)b)->peak_bytes;

	return x > y ? -1 : x < y;
}

/*
 * The heaviest first; but the main one before it, when that is no mere
 * launcher: it has half as much memory as the heaviest, as in the text report.
 */
static void
order(const struct ps_tree *tree, int main_node, struct ps_groups *groups)
{
	bool is_launcher = ps_tree_peak(tree, ps_tree_heaviest(tree)) >
			   2 * ps_tree_peak(tree, main_node);

	qsort(groups->group, groups->count, sizeof(*groups->group),
	      heaviest_first);
	for (uint32_t i = 1; i < groups->count && !is_launcher; i++) {
		struct ps_group chosen = groups->group[i];

		if (!is_of_node(&chosen, tree, main_node))
			continue;
		memmove(&groups->group[1], &groups->group[0],
			i * sizeof(chosen));
		groups->group[0] = chosen;
	}
	PS_DEBUG_ASSERT(is_launcher ||
			is_of_node(&groups->group[0], tree, main_node));
}

static int
put_programs(const struct ps_arguments *a, const struct ps_tree *tree,
	     int main_node, struct ps_text *t)
{
	struct ps_groups groups;
	int error = ps_groups_open(&groups, tree);
	uint32_t shown = PS_MIN(groups.count, (uint32_t)PROGRAMS_MAX);

	if (error == 0)
		order(tree, main_node, &groups);
	PS_ASSERT(groups.count <= (uint32_t)tree->count);
	ps_text_str(t, ",\"programs\":[");
	for (uint32_t i = 0; error == 0 && i < shown; i++) {
		if (i > 0)
			ps_text_char(t, ',');
		error = put_program(a, tree, main_node, &groups.group[i], t);
	}
	ps_text_printf(t, "],\"programs_left_out\":%u", groups.count - shown);
	ps_groups_close(&groups);
	return error;
}

/* Processes that left a line only, by executable. */
static void
put_small(const struct ps_small *small, struct ps_text *t)
{
	ps_text_str(t, ",\"small\":[");
	for (uint32_t i = 0; i < small->count && i < SMALL_MAX; i++) {
		const struct ps_small_group *g = &small->groups[i];

		PS_ASSERT(g->failed + g->left <= g->processes);
		ps_text_str(t, i == 0 ? "{\"exe\":" : ",{\"exe\":");
		ps_text_json_string(t, g->exe);
		ps_text_printf(t,
			       ",\"processes\":%u,\"failed\":%u,"
			       "\"allocations\":%lu,\"peak_bytes\":%lu,"
			       "\"wall_s\":",
			       g->processes, g->failed,
			       (unsigned long)g->allocations,
			       (unsigned long)g->greatest_peak_bytes);
		ps_text_json_number(t, (double)g->greatest_wall_ns * 1e-9);
		ps_text_str(t, ",\"max_rss_bytes\":"); /* null: not known */
		ps_text_json_number(t, g->greatest_rss_bytes == 0
					   ? (double)NAN
					   : (double)g->greatest_rss_bytes);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
}

int
ps_page_of_tree(const struct ps_arguments *a, const struct ps_tree *tree,
		int main_node, struct ps_text *out)
{
	struct ps_page_file f;
	int error = begin(&f, "recording");

	PS_ASSERT(main_node >= 0 && main_node < tree->count);
	if (error == 0)
		error = put_programs(a, tree, main_node, &f.data);
	if (error == 0) {
		ps_text_printf(&f.data,
			       ",\"process_count\":%d,\"main\":%d,"
			       "\"processes\":",
			       tree->count, main_node);
		error = ps_tree_json(tree, main_node, &a->options, &f.data);
		put_small(&tree->small, &f.data);
	}
	return end(&f, error, out);
}

/* ---- what changed ------------------------------------------------------- */

static void
value_of_stack(void *context, uint32_t path, struct ps_flame_value *out)
{
	struct ps_diff_stack stack;

	_Static_assert((int)PS_FLAME_KEYS == PS_DIFF_KEYS, "one set");
	_Static_assert(PS_FLAME_SIDES == 2, "old and new");
	ps_diff_stack(context, path, &stack);
	for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
		out->sum[0][k] = stack.sum[0][k];
		out->sum[1][k] = stack.sum[1][k];
		out->variance[k] = stack.deviation[k] * stack.deviation[k];
	}
}

static void
put_change(const struct ps_diff *d, uint32_t path,
	   const struct ps_diff_stack *stack, struct ps_text *t)
{
	const struct ps_paths *paths = ps_diff_paths(d);
	uint32_t count;
	const uint32_t *places = ps_paths_places(paths, path, &count);

	PS_ASSERT(count > 0);
	ps_text_str(t, "{\"stack\":[");
	for (uint32_t i = 0; i < count; i++) {
		char name[2048];
		struct ps_text text;

		ps_text_init(&text, name, sizeof(name), -1);
		ps_symbol_put_name(&text, ps_paths_symbol(paths, places[i]));
		if (i > 0)
			ps_text_char(t, ',');
		ps_text_json_string(t, name);
	}
	ps_text_char(t, ']');
	for (unsigned k = 0; k < PS_DIFF_KEYS; k++) {
		ps_text_printf(t, ",\"%s\":[", ps_flame_key_name(k));
		ps_text_json_number(t, stack->sum[0][k]);
		ps_text_char(t, ',');
		ps_text_json_number(t, stack->sum[1][k]);
		ps_text_char(t, ',');
		ps_text_json_number(t, Z95 * stack->deviation[k]);
		ps_text_printf(t, ",%s]", stack->is_sure[k] ? "true" : "false");
	}
	ps_text_char(t, '}');
}

static bool
is_any_sure(const struct ps_diff_stack *stack)
{
	for (unsigned k = 0; k < PS_DIFF_KEYS; k++)
		if (stack->is_sure[k])
			return true;
	return false;
}

static void
put_changes(const struct ps_diff *d, struct ps_text *t)
{
	uint32_t paths = ps_paths_count(ps_diff_paths(d));
	uint32_t sure = 0;

	ps_text_str(t, ",\"changes\":[");
	for (uint32_t i = 0; i < paths; i++) {
		struct ps_diff_stack stack;

		ps_diff_stack(d, i, &stack);
		if (!is_any_sure(&stack))
			continue;
		if (++sure > CHANGES_MAX)
			continue;
		if (sure > 1)
			ps_text_char(t, ',');
		put_change(d, i, &stack, t);
	}
	PS_ASSERT(sure <= paths);
	ps_text_printf(t, "],\"stacks\":%u,\"sure\":%u", paths, sure);
}

static int
put_diff(struct ps_source *old, struct ps_source *new, struct ps_text *t)
{
	const struct ps_diff_side from = {&old->view, old->symbols};
	const struct ps_diff_side to = {&new->view, new->symbols};
	struct ps_diff *d = ps_diff_new(&from, &to, &new->scratch);
	int error;

	if (d == NULL)
		return -ENOMEM;
	ps_text_str(t, ",\"diff\":{\"flame\":");
	error = ps_flame_json(ps_diff_paths(d), PS_FLAME_SIDES, value_of_stack,
			      d, PS_FLAME_NODES, &new->scratch, t);
	put_changes(d, t);
	ps_text_char(t, '}');
	return error;
}

static int
put_side(struct ps_source *s, struct ps_text *t)
{
	const struct ps_record_process *p = &s->reader->header->process;
	int error;

	ps_text_str(t, "{\"name\":");
	ps_text_json_string(t, ps_reader_string(s->reader, p->name));
	ps_text_printf(t, ",\"processes\":%u,\"pids\":[%d]",
		       PS_MAX(s->reader->merged, 1u), p->pid);
	error = put_source(s, t);
	ps_text_char(t, '}');
	return error;
}

static int
put_sides(struct ps_source *old, struct ps_source *new, struct ps_text *t)
{
	int error;

	ps_text_str(t, ",\"programs\":[");
	error = put_side(new, t);
	ps_text_char(t, ',');
	if (error == 0)
		error = put_side(old, t);
	ps_text_char(t, ']');
	return error != 0 ? error : put_diff(old, new, t);
}

int
ps_page_of_diff(struct ps_source *old, struct ps_source *new,
		struct ps_text *out)
{
	struct ps_page_file f;
	int error = begin(&f, "diff");

	if (error == 0)
		error = put_sides(old, new, &f.data);
	return end(&f, error, out);
}
