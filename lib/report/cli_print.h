/* SPDX-License-Identifier: MIT */
/*
 * cli_print - which processes of a tree are told, and how
 */
#ifndef PS_REPORT_CLI_PRINT_H
#define PS_REPORT_CLI_PRINT_H

#include "report/cli_arguments.h"
#include "report/cli_source.h"
#include "report/cli_tree.h"

/* Write what was asked for; 0, or -errno after a line on standard error. */
int ps_print(const struct ps_arguments *a, const struct ps_tree *tree,
	     int main_node, struct ps_text *out);

/* One recording in the format that was asked for; 0 or -errno. */
int ps_print_source(const struct ps_arguments *a, struct ps_source *s,
		    struct ps_text *out);

#endif /* PS_REPORT_CLI_PRINT_H */
