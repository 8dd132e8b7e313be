/* SPDX-License-Identifier: MIT */
/*
 * cli_print - which processes of a tree are told, and how
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_print.h"
#include "report/cli_symbols_dw.h"
#include "report/symbol_elf.h"

char *__cxa_demangle(const char *name, char *buffer, size_t *bytes,
		     int *status);

static int
print_process(const struct ps_arguments *a, const struct ps_tree_node *node,
	      const struct ps_report_options *options, struct ps_text *out)
{
	struct ps_scratch scratch;
	struct ps_symbols *elf;
	struct ps_symbols *dw;
	int error;

	ps_scratch_init(&scratch, (size_t)2 << 30);
	elf = ps_symbols_elf(&scratch, &node->reader, __cxa_demangle, free);
	dw = ps_symbols_dw(&node->reader, elf);
	error = ps_report_write(&node->reader, dw != NULL ? dw : elf, &scratch,
				a->format, options, out);
	if (error != 0)
		fprintf(stderr, "perfreport: %s: %s\n", node->path,
			strerror(-error));
	ps_symbols_dw_close(dw);
	ps_scratch_fini(&scratch);
	return error;
}

/*
 * The main process may be a mere launcher (a compiler's driver, a shell): when
 * another one had more than twice its memory, that one is told as well.
 */
static int
print_reports(const struct ps_arguments *a, const struct ps_tree *tree,
	      int main_node, struct ps_text *out)
{
	struct ps_report_options options = a->options;
	int heaviest = ps_tree_heaviest(tree);
	int error;

	options.has_ended =
	    ps_tree_is_gone(&tree->nodes[main_node]) || options.exit_code >= 0;
	error = print_process(a, &tree->nodes[main_node], &options, out);
	if (error != 0 || a->format != PS_REPORT_TEXT ||
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
	bool is_tree_only = a->is_tree_wanted && !a->is_text_wanted;
	int error = 0;

	if (!is_tree_only)
		error = print_reports(a, tree, main_node, out);
	if (a->is_tree_wanted ||
	    (tree->count > 1 && a->format == PS_REPORT_TEXT))
		ps_tree_write(tree, main_node, &a->options, out);
	return error;
}
