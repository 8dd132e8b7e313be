/* SPDX-License-Identifier: MIT */
/*
 * report - a recording as text or JSON
 *
 * Used by the preload at exit and by perfreport; no malloc, no stdio.
 */
#ifndef PS_REPORT_H
#define PS_REPORT_H

#include "base/scratch.h"
#include "base/text.h"
#include "record/reader.h"
#include "report/symbols.h"

enum ps_report_format { PS_REPORT_TEXT, PS_REPORT_JSON };

/* Of heap.sites in JSON, unless told otherwise: the greatest by bytes. */
enum { PS_REPORT_SITES = 1000 };

enum ps_row_verdict {
	PS_ROW_KEPT,
	PS_ROW_FORGIVEN, /* kept, but what is live is no leak */
	PS_ROW_LEFT_OUT,
};

/* Who decides which rows of PS_TABLE_SITES are told. */
struct ps_row_judge {
	enum ps_row_verdict (*judge)(struct ps_row_judge *self,
				     const struct ps_reader *reader,
				     uint32_t row);
};

struct ps_report_options {
	uint32_t top;	 /* entries of each list; 0: 5 */
	uint32_t sites;	 /* at most in JSON; 0: PS_REPORT_SITES */
	int exit_code;	 /* as told by who waited for it; -1: not told */
	int exit_signal; /* that ended it; 0: none, or not told */
	bool has_ended;	 /* the process is known to be gone */
	struct ps_row_judge *judge; /* NULL: all are told */
};

/*
 * symbols may be NULL (then addresses stay numbers), options NULL (then the
 * recording's own word counts).  0, or -ENOMEM.
 */
int ps_report_write(const struct ps_reader *reader, struct ps_symbols *symbols,
		    struct ps_scratch *scratch, enum ps_report_format format,
		    const struct ps_report_options *options,
		    struct ps_text *out);

struct ps_view;

/* The same of a view that was built. */
int ps_report_write_view(const struct ps_view *view, struct ps_symbols *symbols,
			 struct ps_scratch *scratch,
			 enum ps_report_format format,
			 const struct ps_report_options *options,
			 struct ps_text *out);

#endif /* PS_REPORT_H */
