/* SPDX-License-Identifier: MIT */
/*
 * text_footer - what the figures are worth
 */
#include <string.h>

#include "report/text_parts.h"

/* ---- what the figures are worth ----------------------------------------- */

static void
put_interval(struct ps_text *t, const struct ps_view *v)
{
	double least = (double)v->reader->header->sampling.interval_bytes;
	double widest = ps_view_interval_widest(v);
	char word[16];

	ps_text_printf(t, "  sampled every %s", ps_human_bytes(word, least));
	if (widest > least)
		ps_text_printf(t, " to %s", ps_human_bytes(word, widest));
	ps_text_printf(t, ": %s sample%s",
		       ps_human_count(word, (double)v->samples),
		       ps_plural((double)v->samples));
}

static void
put_sampling(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_sampling *s = &v->reader->header->sampling;
	char count[16];
	char no_stack[16];
	char truncated[16];

	if (s->mode == PS_SAMPLE_OFF) {
		ps_text_str(t, "  sampling off: counts are exact, sites are "
			       "not known\n");
		return;
	}
	if (v->is_exact)
		ps_text_printf(t, "  every allocation%s recorded (%s)",
			       ps_peek(&s->dropped) == 0 ? ""
							 : " but those dropped",
			       ps_human_count(count, (double)v->samples));
	else
		put_interval(t, v);
	ps_put_error(t, v->site_bytes, v->site_bytes_error);
	ps_text_printf(
	    t, "\n  samples dropped %s, without a stack %s, cut short %s\n",
	    ps_human_count(count, (double)ps_peek(&s->dropped)),
	    ps_human_count(no_stack, (double)v->samples_without_stack),
	    ps_human_count(truncated, (double)v->samples_truncated));
	if (s->stacks_off != 0) {
		ps_text_str(t, "  stacks are off: ");
		(void)ps_put_name(t, ps_reader_string(v->reader, s->stacks_off),
				  60);
		ps_text_char(t, '\n');
	}
}

unsigned
ps_losses(const struct ps_view *v, struct ps_loss out[PS_LOSSES])
{
	const struct ps_record_header *h = v->reader->header;
	const struct ps_loss rows[PS_LOSSES] = {
	    {ps_peek(&h->overhead.unbalanced),
	     "section ends without their begin"},
	    {v->table_drops, "rows that found no room in a table"},
	    {ps_peek(&h->overhead.uncounted_threads),
	     "threads that found no row"},
	    {ps_peek(&h->clock.backwards),
	     "intervals in which the clock went backwards"},
	    {ps_peek(&h->heap.failed),
	     "allocations that failed for lack of memory"},
	    {ps_peek(&h->watch.undelivered), "alerts that nobody took"},
	    {ps_peek(&h->watch.unwatched), "sections beyond what rules watch"},
	    {ps_peek(&h->no_space), "tables that the disk refused to let grow"},
	};
	unsigned count = 0;

	PS_ASSERT(rows[PS_LOSSES - 1].what != NULL); /* as many as there are */
	for (unsigned i = 0; i < PS_LOSSES; i++)
		if (rows[i].count != 0)
			out[count++] = rows[i];
	return count;
}

static void
put_losses(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_header *h = v->reader->header;
	const char *why = strerrordesc_np((int)ps_peek(&h->no_space_error));
	struct ps_loss losses[PS_LOSSES];
	unsigned count = ps_losses(v, losses);

	PS_ASSERT(count <= PS_LOSSES);
	for (unsigned i = 0; i < count; i++)
		ps_text_printf(t, "  %lu %s%s", (unsigned long)losses[i].count,
			       losses[i].what, i + 1 < count ? "\n" : "");
	if (ps_peek(&h->no_space) != 0) {
		ps_text_str(t, " (");
		(void)ps_put_name(t, why == NULL ? "unknown" : why,
				  ps_peek(&h->no_space) <= PS_TABLES ? 30 : 12);
		ps_text_char(t, ')');
	}
	if (count > 0)
		ps_text_char(t, '\n');
}

/* Code that a run-time system made; it may have told nobody what it is. */
static bool
is_nameless(struct ps_text_report *r, uint32_t row)
{
	const struct ps_record_frame *frame =
	    ps_reader_entry(r->view->reader, PS_TABLE_FRAMES, row);
	struct ps_symbol symbol;

	if (frame == NULL || frame->module != UINT32_MAX)
		return false;
	(void)r->symbols->resolve(r->symbols, row, &symbol);
	PS_ASSERT(symbol.module != NULL);
	return symbol.function == NULL;
}

static void
put_nameless(struct ps_text_report *r)
{
	uint32_t count = 0;
	char human[16];

	for (uint32_t i = 0; i < r->view->reader->count[PS_TABLE_FRAMES]; i++)
		count += is_nameless(r, i);
	if (count == 0)
		return;
	ps_text_printf(r->out,
		       "  %s address%s in no file; names of code made at run "
		       "time come from\n"
		       "  /tmp/perf-PID.map (node --perf-basic-prof; of others "
		       "see perfreport(1))\n",
		       ps_human_count(human, count),
		       count == 1 ? " lies" : "es lie");
}

static void
put_cost(struct ps_text *t, const struct ps_view *v)
{
	char cost[16];

	ps_text_printf(t, "  the shim cost %s",
		       ps_human_time(cost, v->overhead_s));
	if (v->overhead_fraction >= 0 && v->overhead_fraction < 100) {
		ps_text_str(t, " (");
		ps_text_fixed(t, v->overhead_fraction * 100, 2);
		ps_text_str(t, "% of the run)");
	}
	ps_text_str(t, " in sampling, tables and marks\n");
}

void
ps_text_footer(struct ps_text_report *r)
{
	ps_put_heading(r->out, "HOW FAR TO TRUST THIS", NULL);
	put_sampling(r->out, r->view);
	put_losses(r->out, r->view);
	put_nameless(r);
	put_cost(r->out, r->view);
}
