/* SPDX-License-Identifier: MIT */
/*
 * cli_merge - perfreport --merge: the processes of a tree by executable
 */
#ifndef PS_REPORT_CLI_MERGE_H
#define PS_REPORT_CLI_MERGE_H

#include "report/cli_arguments.h"
#include "report/cli_tree.h"

/*
 * As text, the executable that --main names (else the one with the greatest
 * peak) in full, and all in a table; as folded stacks and pprof, all; in the
 * other formats, that one.  0, or -errno after a line on standard error.
 */
int ps_print_merged(const struct ps_arguments *a, const struct ps_tree *tree,
		    struct ps_text *out);

#endif /* PS_REPORT_CLI_MERGE_H */
