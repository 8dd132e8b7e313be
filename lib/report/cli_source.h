/* SPDX-License-Identifier: MIT */
/*
 * cli_source - a recording with its names and its view, ready to be told
 */
#ifndef PS_REPORT_CLI_SOURCE_H
#define PS_REPORT_CLI_SOURCE_H

#include "report/filter.h"
#include "report/view.h"

struct ps_source {
	const struct ps_reader *reader;
	const char *path; /* for messages */
	struct ps_scratch scratch;
	struct ps_symbols *symbols;
	struct ps_filter filter;
	struct ps_view view;
};

/* `filter` may be NULL.  0, or -errno after a line on standard error, and then
 * there is nothing to close. */
int ps_source_open(struct ps_source *s, const struct ps_reader *reader,
		   const char *path, const struct ps_filter *filter,
		   const struct ps_report_options *options);
void ps_source_close(struct ps_source *s);

#endif /* PS_REPORT_CLI_SOURCE_H */
