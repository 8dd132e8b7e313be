/* SPDX-License-Identifier: MIT */
/*
 * cli_diff - perfreport --diff OLD NEW
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cli_diff.h"
#include "report/cli_pprof.h"
#include "report/cli_source.h"
#include "report/diff.h"

static int
compare(const struct ps_arguments *a, struct ps_source *old,
	struct ps_source *new, struct ps_text *out)
{
	const struct ps_diff_side from = {&old->view, old->symbols};
	const struct ps_diff_side to = {&new->view, new->symbols};

	switch (a->format) {
	case PS_CLI_FOLDED:
		return ps_diff_folded(&from, &to, a->folded_key, &new->scratch,
				      out);
	case PS_CLI_PPROF:
		return ps_print_pprof(new, old, out);
	case PS_CLI_TEXT:
		return ps_diff_text(&from, &to, a->options.top, &new->scratch,
				    out);
	default:
		fputs("perfreport: --diff: as text, --folded or --pprof\n",
		      stderr);
		return -EINVAL;
	}
}

/* The process that --main names, else the first one. */
static int
open_side(const struct ps_arguments *a, const struct ps_tree *tree,
	  struct ps_source *out)
{
	struct ps_report_options options = {.exit_code = -1};
	int main_node = ps_tree_main(tree, a->main_name);

	if (main_node < 0)
		ps_usage_error("--main", a->main_name,
			       "no recording of that process");
	options.has_ended = ps_tree_is_gone(&tree->nodes[main_node]);
	return ps_source_open(out, &tree->nodes[main_node].reader,
			      tree->nodes[main_node].path, &a->filter,
			      &options);
}

int
ps_print_diff(const struct ps_arguments *a, const struct ps_tree *old,
	      const struct ps_tree *new, struct ps_text *out)
{
	struct ps_source from;
	struct ps_source to;
	int error = open_side(a, old, &from);

	if (error != 0)
		return error;
	error = open_side(a, new, &to);
	if (error == 0) {
		error = compare(a, &from, &to, out);
		if (error == -ENOMEM)
			fprintf(stderr, "perfreport: --diff: %s\n",
				strerror(ENOMEM));
		ps_source_close(&to);
	}
	ps_source_close(&from);
	return error;
}
