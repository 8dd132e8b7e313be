/* SPDX-License-Identifier: MIT */
/*
 * main - perfreport: reads recordings and prints what they say
 *
 * A recording may be of a process that ended, was killed, or still runs.  With
 * several (a directory), the main process is told in full and all of them in
 * one table.
 */
#include <stdio.h>

#include "report/cli_alerts.h"
#include "report/cli_metrics.h"
#include "report/cli_output.h"
#include "report/cli_print.h"
#include "report/cli_serve.h"
#include "report/cli_symbols_dw.h"
#include "report/cli_watch.h"

/* A status for exit. */
static int
run_task(const struct ps_arguments *a, const char *path)
{
	switch (a->task) {
	case PS_TASK_METRICS:
		return ps_cli_metrics(a->task_argument, path);
	case PS_TASK_SERVE:
		return ps_cli_serve(a->task_argument, path);
	case PS_TASK_WATCH:
		return ps_cli_watch(path);
	default:
		return ps_cli_alerts(path, a->task_argument != NULL,
				     a->is_following);
	}
}

int
main(int argc, char **argv)
{
	struct ps_arguments a;
	struct ps_tree tree = {0};
	struct ps_text out;
	int main_node = 0;
	int first;
	int error;

	first = ps_arguments_parse(&a, argc, argv);
	if (a.task != PS_TASK_PRINT && first + 1 != argc)
		ps_usage_error("one directory or recording", "", "expected");
	ps_symbols_dw_init(a.is_network_allowed);
	if (a.task != PS_TASK_PRINT)
		return run_task(&a, argv[first]);
	for (int i = first; i < argc; i++)
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
	ps_output_open(&a, &out);
	error = ps_print(&a, &tree, main_node, &out);
	if (ps_output_close(&a, &out) != 0 || error != 0)
		return PS_CLI_BROKEN;
	ps_tree_close(&tree);
	return tree.broken == 0 ? 0 : PS_CLI_BROKEN;
}
