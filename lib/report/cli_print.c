/* SPDX-License-Identifier: MIT */
/*
 * cli_print - which processes of a tree are told, and how
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/callgrind.h"
#include "report/cli_pprof.h"
#include "report/cli_output.h"
#include "report/cli_print.h"
#include "report/cli_source.h"
#include "report/cli_tree_table.h"
#include "report/folded.h"
#include "report/massif.h"
#include "report/section_folded.h"
#include "report/section_hgrm.h"
#include "report/section_trace.h"

int
ps_print_source(const struct ps_arguments *a, struct ps_source *s,
		struct ps_text *out)
{
	switch (a->format) {
	case PS_CLI_FOLDED:
		if (a->is_of_sections) {
			ps_section_folded(&s->view, out);
			return 0;
		}
		PS_ASSERT(a->folded_key <= PS_BY_TEMPORARY);
		return ps_folded(&s->view, s->symbols, a->folded_key,
				 &s->scratch, out);
	case PS_CLI_PPROF:
		return ps_print_pprof(s, a->is_of_sections, out);
	case PS_CLI_CALLGRIND:
		return ps_callgrind(&s->view, s->symbols, &s->scratch, out);
	case PS_CLI_MASSIF:
		return ps_massif(&s->view, s->symbols, &s->scratch, out);
	case PS_CLI_HGRM:
		PS_ASSERT(a->section != NULL);
		return ps_section_hgrm(&s->view, a->section, &s->scratch, out);
	case PS_CLI_TRACE:
		return ps_section_trace(&s->view, out);
	default:
		PS_ASSERT(a->format == PS_CLI_TEXT || a->format == PS_CLI_JSON);
		return ps_report_write_view(
		    &s->view, s->symbols, &s->scratch,
		    a->format == PS_CLI_JSON ? PS_REPORT_JSON : PS_REPORT_TEXT,
		    &a->options, out);
	}
}

static const char *
why_not(const struct ps_arguments *a, int error)
{
	PS_ASSERT(error < 0);
	if (a->format == PS_CLI_HGRM && error == -ENOENT)
		return "no section of that name was called";
	if (a->format == PS_CLI_TRACE && error == -ENODATA)
		return "no events (it ran without PERFSHIM_EVENTS)";
	return strerror(-error);
}

static int
print_process(const struct ps_arguments *a, const struct ps_tree_node *node,
	      const struct ps_report_options *options, struct ps_text *out)
{
	struct ps_source source;
	int error = ps_source_open(&source, &node->reader, node->path,
				   &a->filter, options);

	if (error != 0)
		return error;
	error = ps_print_source(a, &source, out);
	if (a->format != PS_CLI_TEXT && a->filter.suppressions != NULL)
		fprintf(stderr, "perfreport: %u leak%s suppressed\n",
			source.view.forgiven_sites,
			ps_plural(source.view.forgiven_sites));
	if (error != 0)
		ps_complain_of(node->path, why_not(a, error));
	ps_source_close(&source);
	return error;
}

static struct ps_report_options
of_main(const struct ps_arguments *a, const struct ps_tree *tree, int main_node)
{
	struct ps_report_options options = a->options;

	PS_ASSERT(main_node >= 0 && main_node < tree->count);
	options.has_ended =
	    ps_tree_is_gone(&tree->nodes[main_node]) || options.exit_code >= 0;
	return options;
}

/*
 * The main process may be a mere launcher (a compiler's driver, a shell): when
 * another one had more than twice its memory, that one is told as well.
 */
static int
print_reports(const struct ps_arguments *a, const struct ps_tree *tree,
	      int main_node, struct ps_text *out)
{
	struct ps_report_options options = of_main(a, tree, main_node);
	int heaviest = ps_tree_heaviest(tree);
	int error;

	error = print_process(a, &tree->nodes[main_node], &options, out);
	if (error != 0 || a->format != PS_CLI_TEXT ||
	    ps_tree_peak(tree, heaviest) <= 2 * ps_tree_peak(tree, main_node))
		return error;
	ps_text_str(out, "\nMost of the memory was another process's:\n");
	options = a->options;
	options.exit_code = -1;
	options.exit_signal = 0;
	options.has_ended = ps_tree_is_gone(&tree->nodes[heaviest]);
	return print_process(a, &tree->nodes[heaviest], &options, out);
}

int
ps_print(const struct ps_arguments *a, const struct ps_tree *tree,
	 int main_node, struct ps_text *out)
{
	const struct ps_report_options options = of_main(a, tree, main_node);
	bool is_tree_only = a->is_tree_wanted && !a->is_text_wanted;
	int error = 0;

	if (!is_tree_only)
		error = print_reports(a, tree, main_node, out);
	if (a->is_tree_wanted || (a->format == PS_CLI_TEXT &&
				  tree->count + (int)tree->small.count > 1))
		ps_tree_write(tree, main_node, &options, out);
	return error;
}
