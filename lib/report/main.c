/* SPDX-License-Identifier: MIT */
/*
 * main - perfreport: reads recordings and prints what they say
 *
 * A recording may be of a process that ended, was killed, or still runs.  With
 * several (a directory), the main process is told in full and all of them in
 * one table.
 */
#include <stdio.h>

#include "report/cli_output.h"
#include "report/cli_print.h"
#include "report/cli_symbols_dw.h"

int
main(int argc, char **argv)
{
	struct ps_arguments a;
	struct ps_tree tree = {0};
	struct ps_text out;
	int main_node = 0;
	int error;

	for (int i = ps_arguments_parse(&a, argc, argv); i < argc; i++)
		(void)ps_tree_add(&tree, argv[i]);
	if (tree.count == 0) {
		if (tree.broken == 0)
			fputs("perfreport: no recordings (*.perfshim) there\n",
			      stderr);
		return PS_CLI_BROKEN;
	}
	ps_tree_link(&tree);
	if (a.main_pid != 0)
		main_node = ps_tree_find(&tree, a.main_pid);
	if (main_node < 0)
		ps_usage_error("--main", "", "no recording of that process");
	ps_symbols_dw_init(a.is_network_allowed);
	ps_output_open(&a, &out);
	error = ps_print(&a, &tree, main_node, &out);
	if (ps_output_close(&a, &out) != 0 || error != 0)
		return PS_CLI_BROKEN;
	ps_tree_close(&tree);
	return tree.broken == 0 ? 0 : PS_CLI_BROKEN;
}
