/* SPDX-License-Identifier: MIT */
/*
 * filter - which rows of the sites are told, and which leaks are forgiven
 */
#ifndef PS_REPORT_FILTER_H
#define PS_REPORT_FILTER_H

#include "report/report.h"

/* Patterns of a file of suppressions, in the order of its lines. */
struct ps_suppressions {
	const char **patterns; /* globs */
	uint32_t count;
};

/*
 * Lines of LeakSanitizer's syntax: "leak:pattern", '#' begins a comment.  A
 * pattern is found anywhere in the name of a function, file or module; '*' is
 * any run of characters, '^' and '$' bind it to the beginning and the end.
 * `text` is zero-terminated and spoilt.  0, -ENOMEM, or -EINVAL with *line.
 */
int ps_suppressions_parse(struct ps_suppressions *out, char *text,
			  struct ps_scratch *scratch, uint32_t *line);

/* Globs as of PERFSHIM_SECTIONS; NULL: any. */
struct ps_filter {
	struct ps_row_judge base; /* first */
	const char *section;
	const char *thread;
	const char *function;			    /* one of the stack's */
	const char *module;			    /* the same */
	const struct ps_suppressions *suppressions; /* or NULL */
	/* Set for each recording: */
	struct ps_symbols *symbols;
	struct ps_stack_names *names; /* room for one stack */
};

bool ps_filter_is_set(const struct ps_filter *f);
void ps_filter_init(struct ps_filter *f); /* the judge; patterns stay */

#endif /* PS_REPORT_FILTER_H */
