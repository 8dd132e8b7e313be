/* SPDX-License-Identifier: MIT */
/*
 * cli_page - perfreport --html: the report as one self-contained page
 */
#ifndef PS_REPORT_CLI_PAGE_H
#define PS_REPORT_CLI_PAGE_H

#include "report/cli_arguments.h"
#include "report/cli_source.h"
#include "report/cli_tree.h"

/* Whether pages can be written; false after one line that says what is missing,
 * so that nobody measures first and finds out then. */
bool ps_page_is_there(void);

/* One recording, or the processes of a tree by executable. */
int ps_page_of_tree(const struct ps_arguments *a, const struct ps_tree *tree,
		    int main_node, struct ps_text *out);
/* --diff: what changed in a program. */
int ps_page_of_diff(struct ps_source *old, struct ps_source *new,
		    struct ps_text *out);
/* What perfwrap.sh --save wrote: a benchmark, a comparison, a load test. */
int ps_page_of_saved(const char *path, struct ps_text *out);

/* Whether the file looks like JSON and so is not a recording. */
bool ps_page_is_saved(const char *path);

#endif /* PS_REPORT_CLI_PAGE_H */
