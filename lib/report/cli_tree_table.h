/* SPDX-License-Identifier: MIT */
/*
 * cli_tree_table - a tree of processes as a table, and as JSON
 */
#ifndef PS_REPORT_CLI_TREE_TABLE_H
#define PS_REPORT_CLI_TREE_TABLE_H

#include "base/text.h"
#include "report/cli_tree.h"
#include "report/report.h"

/* The table; `main_options` tells how node `main_node` ended. */
void ps_tree_write(const struct ps_tree *tree, int main_node,
		   const struct ps_report_options *main_options,
		   struct ps_text *out);

/* The same as an array of objects, the first PS_TREE_JSON_MAX of them; `parent`
 * is an index into it, or -1.  0 or -ENOMEM. */
enum { PS_TREE_JSON_MAX = 2000 };
int ps_tree_json(const struct ps_tree *tree, int main_node,
		 const struct ps_report_options *main_options,
		 struct ps_text *out);

#endif /* PS_REPORT_CLI_TREE_TABLE_H */
