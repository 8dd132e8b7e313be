/* SPDX-License-Identifier: MIT */
/*
 * verdict - what a recording says, in a few plain sentences
 *
 * Each sentence is a figure of the report put into words, never a guess at a
 * cause.  "Look first" is the first of a short list of findings that holds, the
 * ones that end programs before those that make them slow; the thresholds below
 * are where a finding is worth a person's time, not where something is wrong.
 */
#include <string.h>

#include "measure/watch.h"
#include "report/text_parts.h"
#include "report/verdict.h"
#include "report/view_alert.h"

/* Kept at the end: this share of the peak is worth a look. */
#define KEPT_SHARE 0.5
/* Freed before the next allocation: this share, of so many, is. */
#define TEMPORARY_SHARE 0.5
#define TEMPORARY_LEAST 1e5
/* The slowest hundredth of the calls against the median: this ratio is. */
#define TAIL_RATIO 20
/* Sentences about less than this would be noise. */
#define BYTES_LEAST 65536.0
enum { NAME_COLUMNS = 60, RULE_COLUMNS = 70 };

struct speaker {
	const struct ps_view *view;
	struct ps_symbols *symbols;
	struct ps_stack_names *names;
	struct ps_verdict *out;
	struct ps_text line;
};

/* The writer of a new line. */
static struct ps_text *
begin(struct speaker *s, const char *about)
{
	struct ps_verdict *v = s->out;

	PS_ASSERT(v->count < PS_VERDICT_LINES);
	v->line[v->count].about = about;
	ps_text_init(&s->line, v->line[v->count].text, PS_VERDICT_BYTES, -1);
	v->count++;
	return &s->line;
}

static void
put_percent(struct ps_text *t, double share)
{
	if (share > 0 && share < 0.005)
		ps_text_str(t, "under 1%");
	else
		ps_text_printf(t, "%d%%",
			       (int)(100 * PS_MIN(share, 1.0) + 0.5));
}

static void
put_function(struct speaker *s, const struct ps_symbol *symbol)
{
	char name[1024];
	struct ps_text text;

	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, symbol);
	(void)ps_put_function(&s->line, name, NAME_COLUMNS);
}

/* One that calls itself, or that was inlined in parts. */
static bool
is_same_function(const struct ps_symbol *a, const struct ps_symbol *b)
{
	return a->function != NULL && b->function != NULL &&
	       strcmp(a->function, b->function) == 0;
}

/* "add, called by tokenize"; of names, no more than fits a sentence. */
static void
put_who(struct speaker *s, const struct ps_view_site *site)
{
	uint32_t first;
	uint32_t caller;

	ps_stack_names(s->view->reader, s->symbols, site->site, s->names);
	if (s->names->count == 0) {
		ps_text_str(&s->line, "code whose stack is not known");
		return;
	}
	first = ps_telling_frame(s->names);
	PS_ASSERT(first < s->names->count);
	put_function(s, &s->names->at[first]);
	caller = first + 1;
	while (caller < s->names->count &&
	       is_same_function(&s->names->at[first], &s->names->at[caller]))
		caller++;
	if (caller == s->names->count)
		return;
	ps_text_str(&s->line, ", called by ");
	put_function(s, &s->names->at[caller]);
}

static const struct ps_view_site *
greatest(const struct ps_view *v, enum ps_view_key key)
{
	const struct ps_view_site *site = NULL;

	return ps_view_top(v, key, 1, &site) == 1 ? site : NULL;
}

/* ---- memory ------------------------------------------------------------- */

static const char *
why_nobody(const struct ps_view *v)
{
	if (v->reader->header->sampling.mode == PS_SAMPLE_OFF)
		return "sampling is off";
	return v->left_out_rows > 0 ? "no stack of it passes the filters"
				    : "no block of it was sampled";
}

static void
say_peak(struct speaker *s)
{
	const struct ps_view *v = s->view;
	const struct ps_view_site *site = greatest(v, PS_BY_PEAK);
	struct ps_text *t = begin(s, "memory");
	char bytes[16];
	char when[16];

	if (v->allocations == 0) {
		ps_text_str(t, ps_view_own_malloc(v) == NULL
				   ? "Nothing was allocated."
				   : "Nothing came to the shim's malloc.");
		return;
	}
	ps_text_printf(t,
		       v->reader->merged < 2
			   ? "The heap was %s at its peak"
			   : "The peaks of the heaps add up to %s",
		       ps_human_bytes(bytes, (double)v->peak_bytes));
	if (v->peak_at_s >= 0)
		ps_text_printf(t, ", %s into the run",
			       ps_human_time(when, v->peak_at_s));
	if (site == NULL || v->peak_bytes == 0) {
		ps_text_printf(t, "; whose it was is not known, since %s.",
			       why_nobody(v));
		return;
	}
	ps_text_str(t, "; ");
	put_percent(t, site->peak_bytes / (double)v->peak_bytes);
	ps_put_error(t, site->peak_bytes, ps_view_error(site, PS_BY_PEAK));
	ps_text_str(t, " of that was allocated by ");
	put_who(s, site);
	ps_text_char(t, '.');
}

static bool
is_much_kept(const struct ps_view *v)
{
	return (double)v->live_bytes >= BYTES_LEAST &&
	       (double)v->live_bytes >= KEPT_SHARE * (double)v->peak_bytes;
}

static void
say_kept(struct speaker *s)
{
	const struct ps_view *v = s->view;
	const struct ps_view_site *site = greatest(v, PS_BY_LIVE);
	struct ps_text *t;
	char bytes[16];
	char blocks[16];

	if ((double)v->live_bytes < BYTES_LEAST)
		return;
	t = begin(s, "memory");
	ps_text_printf(t, "%s in %s block%s %s",
		       ps_human_bytes(bytes, (double)v->live_bytes),
		       ps_human_count(blocks, (double)v->live_blocks),
		       ps_plural((double)v->live_blocks),
		       v->end == PS_END_RUNNING ? "are in use now"
						: "were never freed");
	if (site != NULL && site->live_bytes > (double)v->live_bytes) {
		ps_text_str(t, ", the largest part, as few samples tell, by ");
		put_who(s, site);
	} else if (site != NULL) {
		ps_text_str(t, ", the largest part (");
		ps_text_str(t, ps_human_bytes(bytes, site->live_bytes));
		ps_put_error(t, site->live_bytes,
			     ps_view_error(site, PS_BY_LIVE));
		ps_text_str(t, ") by ");
		put_who(s, site);
	}
	ps_text_char(t, '.');
}

/* ---- time --------------------------------------------------------------- */

/* The section with most time of its own; NULL: none was called. */
static const struct ps_view_section *
busiest(const struct ps_view *v, double *all)
{
	const struct ps_view_section *best = NULL;

	*all = 0;
	for (uint32_t i = 0; i < v->section_count; i++) {
		const struct ps_view_section *x = &v->sections[i];

		if (!(x->self_s >= 0) || x->calls == 0)
			continue;
		*all += x->self_s;
		if (best == NULL || x->self_s > best->self_s)
			best = x;
	}
	PS_ASSERT(best == NULL || best->self_s <= *all);
	return best;
}

static void
say_unmarked(struct speaker *s)
{
	const struct ps_view *v = s->view;
	struct ps_text *t = begin(s, "time");
	char human[16];

	ps_text_printf(
	    t,
	    v->reader->merged < 2
		? "It ran for %s"
		: "They took %s from the first start to the last end",
	    ps_human_time(human, v->wall_s));
	if (v->user_s >= 0) {
		ps_text_printf(t, ", on the CPU for %s",
			       ps_human_time(human, v->user_s + v->system_s));
		ps_text_printf(t, " (%s of it in the kernel)",
			       ps_human_time(human, v->system_s));
	}
	ps_text_str(t, "; no section is marked, so where is not known.");
}

static void
say_time(struct speaker *s)
{
	double all;
	const struct ps_view_section *x = busiest(s->view, &all);
	struct ps_text *t;
	char human[16];

	if (x == NULL) {
		say_unmarked(s);
		return;
	}
	t = begin(s, "time");
	ps_text_str(t, "Of the marked sections ");
	(void)ps_put_name(t, x->name, NAME_COLUMNS);
	ps_text_printf(t, " takes most time itself: %s",
		       ps_human_time(human, x->self_s));
	if (all > 0) {
		ps_text_str(t, " (");
		put_percent(t, x->self_s / all);
		ps_text_str(t, " of theirs)");
	}
	ps_text_printf(t, " in %s call%s",
		       ps_human_count(human, (double)x->calls),
		       x->calls == 1 ? "." : "s");
	if (x->calls == 1)
		return;
	ps_text_printf(t, "; half of them took %s or less",
		       ps_human_time(human, x->p50_s));
	ps_text_printf(t, ", one in a hundred %s or more.",
		       ps_human_time(human, x->p99_s));
}

/* ---- what to look at first ---------------------------------------------- */

static bool
is_alert_first(struct speaker *s)
{
	const struct ps_reader *r = s->view->reader;
	struct ps_view_alert a;
	struct ps_text *t;
	char when[16];

	for (uint32_t i = 0; i < r->count[PS_TABLE_ALERTS]; i++) {
		if (!ps_view_alert(r, i, &a))
			continue;
		t = begin(s, "first");
		ps_text_str(t, "Look first at the alert \"");
		(void)ps_put_name(t, a.rule, RULE_COLUMNS);
		ps_text_printf(t, "\", %s into the run.",
			       ps_human_time(when, a.at_s));
		return true;
	}
	return false;
}

static bool
is_kept_first(struct speaker *s)
{
	const struct ps_view *v = s->view;
	const struct ps_view_site *site = greatest(v, PS_BY_LIVE);
	struct ps_text *t;

	if (v->end == PS_END_RUNNING || !is_much_kept(v) || site == NULL)
		return false;
	PS_ASSERT(v->peak_bytes >= v->live_bytes && v->live_bytes > 0);
	t = begin(s, "first");
	ps_text_str(t, "Look first at what is kept until the end: ");
	put_percent(t, (double)v->live_bytes / (double)v->peak_bytes);
	ps_text_str(t, " of the peak. The largest part comes from ");
	put_who(s, site);
	ps_text_char(t, '.');
	return true;
}

static bool
is_temporary_first(struct speaker *s)
{
	const struct ps_view *v = s->view;
	const struct ps_view_site *site = greatest(v, PS_BY_TEMPORARY);
	struct ps_text *t;

	if (!(v->short_lived_fraction >= TEMPORARY_SHARE) ||
	    (double)v->allocations < TEMPORARY_LEAST || site == NULL)
		return false;
	t = begin(s, "first");
	ps_text_str(t, "Look first at temporary blocks: ");
	put_percent(t, v->short_lived_fraction);
	ps_text_str(t, " of all were freed before the next one was allocated, "
		       "the most by ");
	put_who(s, site);
	ps_text_char(t, '.');
	return true;
}

static bool
is_tail_first(struct speaker *s)
{
	double all;
	const struct ps_view_section *x = busiest(s->view, &all);
	struct ps_text *t;

	if (x == NULL || x->calls < 100 || !(x->p50_s > 0) ||
	    !(x->p99_s / x->p50_s >= TAIL_RATIO))
		return false;
	t = begin(s, "first");
	ps_text_str(t, "Look first at the slow calls of ");
	(void)ps_put_name(t, x->name, NAME_COLUMNS);
	ps_text_printf(t,
		       ": one in a hundred takes %d times as long as half of "
		       "them.",
		       (int)PS_MIN(x->p99_s / x->p50_s, 1e6));
	return true;
}

static void
say_first(struct speaker *s)
{
	struct ps_text *t;

	if (is_alert_first(s) || is_kept_first(s) || is_temporary_first(s) ||
	    is_tail_first(s))
		return;
	t = begin(s, "first");
	ps_text_str(t, "Nothing stands out.");
}

/* ---- what is uncertain -------------------------------------------------- */

static void
put_trust(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_view_site *site = greatest(v, PS_BY_PEAK);
	char count[16];

	if (v->is_exact) {
		ps_text_str(t, "Every allocation was recorded with its stack: "
			       "figures are exact.");
		return;
	}
	if (v->samples == 0) {
		ps_text_str(t, "Counts and bytes are exact; nothing is known "
			       "of the code that allocates.");
		return;
	}
	ps_text_printf(t,
		       "Totals are exact, figures of stacks are estimates from "
		       "%s sample%s",
		       ps_human_count(count, (double)v->samples),
		       ps_plural((double)v->samples));
	if (site != NULL && site->peak_bytes > 0 &&
	    ps_view_error(site, PS_BY_PEAK) >= 0.005 * site->peak_bytes) {
		double error =
		    ps_view_error(site, PS_BY_PEAK) / site->peak_bytes;

		ps_text_str(t, ": that of the largest one at the peak is good "
			       "to ±");
		put_percent(t, error);
		if (error >= 1)
			ps_text_str(t, " or worse");
	}
	ps_text_char(t, '.');
}

static void
say_uncertain(struct speaker *s)
{
	const struct ps_view *v = s->view;
	const struct ps_record_header *h = v->reader->header;
	struct ps_text *t = begin(s, "uncertain");
	uint64_t lost = ps_peek(&h->sampling.dropped) + v->table_drops;

	put_trust(t, v);
	if (ps_view_own_malloc(v) != NULL) {
		ps_text_str(t, " The program brings a malloc of its own (");
		(void)ps_put_name(t, ps_view_own_malloc(v), 60);
		ps_text_str(t, "): what that gives out is not seen.");
	}
	if (v->left_out_rows > 0)
		ps_text_str(t, " Stacks are those that pass the filters, and "
			       "totals are of all.");
	if (lost > 0)
		ps_text_printf(t, " %lu row%s or sample%s found no room.",
			       (unsigned long)lost, ps_plural((double)lost),
			       ps_plural((double)lost));
	if (ps_watch_doubts(&h->calibration) != 0)
		ps_text_str(t, " The machine was disturbed during the run, so "
			       "times may be too long.");
	if (v->end == PS_END_RUNNING)
		ps_text_str(t, " The program still runs.");
	if (v->end == PS_END_UNKNOWN)
		ps_text_str(t, " How the program ended is not known.");
}

void
ps_verdict(const struct ps_view *view, struct ps_symbols *symbols,
	   struct ps_stack_names *names, struct ps_verdict *out)
{
	struct speaker s = {
	    .view = view, .symbols = symbols, .names = names, .out = out};

	PS_ASSERT(symbols != NULL && names != NULL);
	out->count = 0;
	say_peak(&s);
	say_kept(&s);
	say_time(&s);
	say_first(&s);
	say_uncertain(&s);
	PS_ASSERT(out->count >= 4); /* what is kept may be left out */
}
