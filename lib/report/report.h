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

struct ps_report_options {
	uint32_t top;	 /* entries of each list; 0: 5 */
	int exit_code;	 /* as told by who waited for it; -1: not told */
	int exit_signal; /* that ended it; 0: none, or not told */
	bool has_ended;	 /* the process is known to be gone */
};

/*
 * symbols may be NULL (then addresses stay numbers), options NULL (then the
 * recording's own word counts).  0, or -ENOMEM.
 */
int ps_report_write(const struct ps_reader *reader, struct ps_symbols *symbols,
		    struct ps_scratch *scratch, enum ps_report_format format,
		    const struct ps_report_options *options,
		    struct ps_text *out);

#endif /* PS_REPORT_H */
