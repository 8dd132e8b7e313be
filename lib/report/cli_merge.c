/* SPDX-License-Identifier: MIT */
/*
 * cli_merge - perfreport --merge: the processes of a tree by executable
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cli_executables.h"
#include "report/cli_merge.h"
#include "report/cli_pprof.h"
#include "report/cli_print.h"

/* The one that --main names, else the one with the greatest peak. */
static const struct ps_group *
main_group(const struct ps_groups *groups, const char *who)
{
	const struct ps_group *g = ps_groups_main(groups, who);

	PS_ASSERT(g != NULL || who != NULL);
	if (g == NULL)
		ps_usage_error("--main", who, "no executable of that name");
	return g;
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
	int error = ps_pprof_open(&file, a->is_of_sections);

	if (error == 0)
		error = ps_groups_add_pprof(groups, a, &file, 1);
	return ps_pprof_close(&file, error, out);
}

static int
print_groups(const struct ps_arguments *a, const struct ps_groups *groups,
	     struct ps_text *out)
{
	int error = 0;

	if (a->format == PS_CLI_PPROF)
		return print_pprof(a, groups, out);
	if (a->format != PS_CLI_FOLDED) {
		error = print_group(a, main_group(groups, a->main_name), out);
		if (error == 0 && a->format == PS_CLI_TEXT)
			ps_executables_put(groups, out);
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
		error = print_groups(a, &groups, out);
	PS_ASSERT(error <= 0);
	if (error != 0)
		fprintf(stderr, "perfreport: --merge: %s\n", strerror(-error));
	ps_groups_close(&groups);
	return error;
}
