/* SPDX-License-Identifier: MIT */
/*
 * cli_merge - perfreport --merge: the processes of a tree by executable
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cli_groups.h"
#include "report/cli_merge.h"
#include "report/cli_pprof.h"
#include "report/cli_print.h"

/* The one that --main names, else the one with the greatest peak. */
static const struct ps_group *
main_group(const struct ps_groups *groups, const char *who)
{
	const struct ps_group *g = ps_groups_main(groups, who);

	if (g == NULL)
		ps_usage_error("--main", who, "no executable of that name");
	return g;
}

/* ---- the table: small processes are part of its figures ---- */

struct row {
	const char *name;
	uint32_t processes;
	uint32_t small;
	double allocations;
	double requested_bytes;
	double greatest_peak;
	double user_s;
};

static void
add_small(struct row *row, const struct ps_small_group *small)
{
	if (small == NULL)
		return;
	row->processes += small->processes;
	row->small += small->processes;
	row->allocations += (double)small->allocations;
	row->requested_bytes += (double)small->requested_bytes;
	row->greatest_peak =
	    PS_MAX(row->greatest_peak, (double)small->greatest_peak_bytes);
	row->user_s += (double)small->user_ns * 1e-9;
}

static void
put_row(const struct row *row, struct ps_text *t)
{
	char name[64];
	struct ps_text text;
	char a[16];

	ps_text_init(&text, name, sizeof(name), -1);
	ps_text_printable(&text, row->name);
	ps_text_printf(t, "%7u %7u  %-22.22s", row->processes, row->small,
		       name);
	ps_text_printf(t, " %10s", ps_human_count(a, row->allocations));
	ps_text_printf(t, " %10s", ps_human_bytes(a, row->requested_bytes));
	ps_text_printf(t, " %10s", ps_human_bytes(a, row->greatest_peak));
	ps_text_printf(t, " %8s\n", ps_human_time(a, row->user_s));
}

static void
put_group(const struct ps_group *g, struct ps_text *t)
{
	struct row row = {.name = ps_group_name(g), .processes = g->count};
	struct ps_scratch scratch;
	struct ps_view view;

	ps_scratch_init(&scratch, 0);
	if (ps_view_build(&g->merged, NULL, &scratch, &view) != 0)
		return;
	row.allocations = (double)view.allocations;
	row.requested_bytes = (double)view.requested_bytes;
	row.greatest_peak = (double)g->greatest_peak;
	row.user_s = view.user_s;
	add_small(&row, g->small);
	put_row(&row, t);
	ps_scratch_fini(&scratch);
}

static bool
has_recordings(const struct ps_groups *groups,
	       const struct ps_small_group *small)
{
	for (uint32_t i = 0; i < groups->count; i++)
		if (groups->group[i].small == small)
			return true;
	return false;
}

static void
put_table(const struct ps_groups *groups, const struct ps_small *small,
	  struct ps_text *t)
{
	ps_text_str(t, "\n");
	ps_text_style(t, PS_BOLD);
	ps_text_str(t, "EXECUTABLES");
	ps_text_style(t, PS_PLAIN);
	ps_text_printf(t, "\n%7s %7s  %-22s %10s %10s %10s %8s\n", "procs",
		       "< 1 MiB", "name", "allocs", "requested", "max peak",
		       "user");
	for (uint32_t i = 0; i < groups->count; i++)
		put_group(&groups->group[i], t);
	for (uint32_t i = 0; i < small->count; i++) {
		const struct ps_small_group *g = &small->groups[i];
		const char *slash = strrchr(g->exe, '/');
		struct row row = {.name = slash == NULL ? g->exe : slash + 1};

		if (has_recordings(groups, g))
			continue;
		add_small(&row, g);
		put_row(&row, t);
	}
}

/* ---- all of it ---- */

static int
print_group(const struct ps_arguments *a, const struct ps_group *g,
	    struct ps_text *out)
{
	struct ps_source source;
	int error = ps_group_open(a, g, &source);

	if (error != 0)
		return error;
	if (a->format == PS_CLI_TEXT)
		ps_group_put_what(g, out);
	error = ps_print_source(a, &source, out);
	ps_source_close(&source);
	return error;
}

static int
print_pprof(const struct ps_arguments *a, const struct ps_groups *groups,
	    struct ps_text *out)
{
	struct ps_pprof_file file;
	int error = ps_pprof_open(&file, true);

	if (error == 0)
		error = ps_groups_add_pprof(groups, a, file.profile, 1);
	return ps_pprof_close(&file, error, out);
}

static int
print_groups(const struct ps_arguments *a, const struct ps_groups *groups,
	     const struct ps_small *small, struct ps_text *out)
{
	int error = 0;

	if (a->format == PS_CLI_PPROF)
		return print_pprof(a, groups, out);
	if (a->format != PS_CLI_FOLDED) {
		error = print_group(a, main_group(groups, a->main_name), out);
		if (error == 0 && a->format == PS_CLI_TEXT)
			put_table(groups, small, out);
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
	struct ps_groups groups;
	int error = ps_groups_open(&groups, tree);

	if (error == 0)
		error = print_groups(a, &groups, &tree->small, out);
	if (error != 0)
		fprintf(stderr, "perfreport: --merge: %s\n", strerror(-error));
	ps_groups_close(&groups);
	return error;
}
