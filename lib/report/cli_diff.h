/* SPDX-License-Identifier: MIT */
/*
 * cli_diff - perfreport --diff OLD NEW
 */
#ifndef PS_REPORT_CLI_DIFF_H
#define PS_REPORT_CLI_DIFF_H

#include "report/cli_arguments.h"
#include "report/cli_tree.h"

/*
 * Compare the main processes of two trees; 0, or -errno after a line on
 * standard error.
 */
int ps_print_diff(const struct ps_arguments *a, const struct ps_tree *old,
		  const struct ps_tree *new, struct ps_text *out);

#endif /* PS_REPORT_CLI_DIFF_H */
