/* SPDX-License-Identifier: MIT */
/*
 * text_parts - the parts of the text report; inside lib/report only
 *
 * Every line is at most 80 columns wide; names from the recording go through
 * ps_put_name, which escapes and shortens them.
 */
#ifndef PS_REPORT_TEXT_PARTS_H
#define PS_REPORT_TEXT_PARTS_H

#include "report/view.h"

struct ps_text_report {
	const struct ps_view *view;
	struct ps_symbols *symbols;
	struct ps_stack_names *names;	    /* room for one stack */
	struct ps_stack_names *other_names; /* for another, to compare */
	struct ps_text *out;
	uint32_t top;
};

/* text_report.c */
void ps_put_heading(struct ps_text *t, const char *words, const char *note);
/* At most `width` columns of it, cut in the middle; returns how many. */
unsigned ps_put_name(struct ps_text *t, const char *name, unsigned width);
/* The same of a function's, which loses its arguments first.  text_function.c
 */
unsigned ps_put_function(struct ps_text *t, const char *name, unsigned width);
/* "±12%" when there is an error worth saying. */
void ps_put_error(struct ps_text *t, double value, double error);

/* A space and six columns: "  1.2ms". */
void ps_put_short_time(struct ps_text *t, double seconds);

void ps_text_summary(struct ps_text_report *r); /* text_summary.c */
/* "pid 12", "8 processes"; text_summary.c */
void ps_put_who(struct ps_text *t, const struct ps_reader *r);
void ps_text_verdict(struct ps_text_report *r); /* text_verdict.c */
void ps_text_sites(struct ps_text_report *r);	/* text_sites.c */
/* The first frame that is neither an allocator's nor a container's. */
uint32_t ps_telling_frame(const struct ps_stack_names *names);
/* Its most telling frames, six at most, indented.  text_stack.c */
void ps_put_stack(struct ps_text_report *r, const struct ps_record_site *site);
/* That of top[row], which is told by where it parts from one above it. */
void ps_put_stack_below(struct ps_text_report *r,
			const struct ps_view_site *const *top, uint32_t row);
void ps_text_labels(struct ps_text_report *r);	 /* text_labels.c */
void ps_text_alerts(struct ps_text_report *r);	 /* text_alerts.c */
void ps_text_sections(struct ps_text_report *r); /* text_sections.c */
/* text_section_tree.c; after the sections' table */
void ps_text_section_tree(struct ps_text_report *r);
void ps_text_slow_calls(struct ps_text_report *r);
void ps_text_machine(struct ps_text_report *r); /* text_machine.c */
void ps_text_footer(struct ps_text_report *r);	/* text_footer.c */

/* What went wrong in recording, as far as anything did. */
enum { PS_LOSSES = 8 };
struct ps_loss {
	uint64_t count;
	const char *what;
};
/* How many kinds there are; text_footer.c */
unsigned ps_losses(const struct ps_view *view, struct ps_loss out[PS_LOSSES]);

#endif /* PS_REPORT_TEXT_PARTS_H */
