/* SPDX-License-Identifier: MIT */
/*
 * cli_merge - perfreport --merge: the processes of a tree by executable
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_merge.h"
#include "report/cli_pprof.h"
#include "report/cli_print.h"
#include "report/cli_source.h"
#include "report/merge.h"

struct group {
	const struct ps_reader **readers;
	uint32_t count;
	uint64_t peak_bytes; /* added up */
	uint64_t greatest_peak;
	struct ps_reader merged;
};

struct groups {
	struct group *group;
	uint32_t count;
	struct ps_scratch scratch;
};

/* ---- grouping ---- */

static const char *
name_of(const struct group *g)
{
	const struct ps_reader *r = g->readers[0];

	return ps_reader_string(r, r->header->process.name);
}

static struct group *
group_of(struct groups *groups, const struct ps_reader *reader, uint32_t most)
{
	struct group *g;

	for (uint32_t i = 0; i < groups->count; i++)
		if (ps_merge_fits(groups->group[i].readers[0], reader))
			return &groups->group[i];
	g = &groups->group[groups->count];
	g->readers =
	    ps_scratch_alloc(&groups->scratch, most * sizeof(*g->readers));
	if (g->readers != NULL)
		groups->count++;
	return g;
}

static int
find_groups(struct groups *groups, const struct ps_tree *tree)
{
	uint32_t nodes = (uint32_t)tree->count;

	ps_scratch_init(&groups->scratch, 0);
	groups->group =
	    ps_scratch_alloc(&groups->scratch, nodes * sizeof(*groups->group));
	if (groups->group == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nodes; i++) {
		struct group *g =
		    group_of(groups, &tree->nodes[i].reader, nodes - i);
		uint64_t peak = ps_tree_peak(tree, (int)i);

		if (g->readers == NULL)
			return -ENOMEM;
		g->readers[g->count++] = &tree->nodes[i].reader;
		g->peak_bytes += peak;
		g->greatest_peak = PS_MAX(g->greatest_peak, peak);
	}
	for (uint32_t i = 0; i < groups->count; i++) {
		struct group *g = &groups->group[i];
		int error = ps_merge(g->readers, g->count, &groups->scratch,
				     &g->merged);

		if (error != 0)
			return error;
	}
	return 0;
}

/* The one that --main names, else the one with the greatest peak. */
static struct group *
main_group(const struct groups *groups, const char *who)
{
	struct group *best = NULL;

	for (uint32_t i = 0; i < groups->count; i++) {
		struct group *g = &groups->group[i];

		if (who != NULL && strcmp(who, name_of(g)) != 0)
			continue;
		if (best == NULL || g->peak_bytes > best->peak_bytes)
			best = g;
	}
	if (best == NULL)
		ps_usage_error("--main", who, "no executable of that name");
	return best;
}

/* ---- writing ---- */

static void
put_what_was_merged(const struct group *g, struct ps_text *t)
{
	char peak[16];
	uint32_t shown = PS_MIN(g->count, 8u);

	ps_text_printf(t, "\nMERGED  %u process%s of ", g->count,
		       g->count == 1 ? "" : "es");
	ps_text_printable(t, name_of(g));
	ps_text_str(t, ": pid");
	for (uint32_t i = 0; i < shown; i++)
		ps_text_printf(t, " %d", g->readers[i]->header->process.pid);
	if (shown < g->count)
		ps_text_printf(t, " and %u more", g->count - shown);
	ps_text_printf(t,
		       "\n  figures are added up, peaks too; the greatest "
		       "peak of one is %s\n",
		       ps_human_bytes(peak, (double)g->greatest_peak));
}

static void
put_row(const struct group *g, struct ps_text *t)
{
	struct ps_scratch scratch;
	struct ps_view view;
	char name[64];
	struct ps_text text;
	char a[16];

	ps_scratch_init(&scratch, 0);
	if (ps_view_build(&g->merged, NULL, &scratch, &view) != 0)
		return;
	ps_text_init(&text, name, sizeof(name), -1);
	ps_text_printable(&text, name_of(g));
	ps_text_printf(t, "%7u  %-24.24s", g->count, name);
	ps_text_printf(t, " %10s", ps_human_count(a, (double)view.allocations));
	ps_text_printf(t, " %10s",
		       ps_human_bytes(a, (double)view.requested_bytes));
	ps_text_printf(t, " %10s", ps_human_bytes(a, (double)g->greatest_peak));
	ps_text_printf(t, " %8s\n", ps_human_time(a, view.user_s));
	ps_scratch_fini(&scratch);
}

static void
put_table(const struct groups *groups, struct ps_text *t)
{
	ps_text_str(t, "\n");
	ps_text_style(t, PS_BOLD);
	ps_text_str(t, "EXECUTABLES");
	ps_text_style(t, PS_PLAIN);
	ps_text_printf(t, "\n%7s  %-24s %10s %10s %10s %8s\n", "procs", "name",
		       "allocs", "requested", "max peak", "user");
	for (uint32_t i = 0; i < groups->count; i++)
		put_row(&groups->group[i], t);
}

static int
open_group(const struct ps_arguments *a, const struct group *g,
	   struct ps_source *out)
{
	struct ps_report_options options = {.exit_code = -1};

	return ps_source_open(out, &g->merged, name_of(g), &a->filter,
			      &options);
}

static int
print_group(const struct ps_arguments *a, const struct group *g,
	    struct ps_text *out)
{
	struct ps_source source;
	int error = open_group(a, g, &source);

	if (error != 0)
		return error;
	if (a->format == PS_CLI_TEXT)
		put_what_was_merged(g, out);
	error = ps_print_source(a, &source, out);
	ps_source_close(&source);
	return error;
}

static int
print_pprof(const struct ps_arguments *a, const struct groups *groups,
	    struct ps_text *out)
{
	struct ps_pprof_file file;
	int error = ps_pprof_open(&file, true);

	for (uint32_t i = 0; error == 0 && i < groups->count; i++) {
		struct ps_source source;

		error = open_group(a, &groups->group[i], &source);
		if (error != 0)
			break;
		error =
		    ps_pprof_add(file.profile, &source.view, source.symbols, 1);
		ps_source_close(&source);
	}
	return ps_pprof_close(&file, error, out);
}

static int
print_groups(const struct ps_arguments *a, const struct groups *groups,
	     struct ps_text *out)
{
	int error = 0;

	if (a->format == PS_CLI_PPROF)
		return print_pprof(a, groups, out);
	if (a->format != PS_CLI_FOLDED) {
		error = print_group(a, main_group(groups, a->main_name), out);
		if (error == 0 && a->format == PS_CLI_TEXT)
			put_table(groups, out);
		return error;
	}
	for (uint32_t i = 0; i < groups->count && error == 0; i++)
		error = print_group(a, &groups->group[i], out);
	return error;
}

int
ps_print_merged(const struct ps_arguments *a, const struct ps_tree *tree,
		struct ps_text *out)
{
	struct groups groups = {0};
	int error = find_groups(&groups, tree);

	if (error == 0)
		error = print_groups(a, &groups, out);
	if (error != 0)
		fprintf(stderr, "perfreport: --merge: %s\n", strerror(-error));
	ps_scratch_fini(&groups.scratch);
	return error;
}
