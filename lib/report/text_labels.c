/* SPDX-License-Identifier: MIT */
/*
 * text_labels - the heap by thread and by section, and how long blocks lived
 *
 * Threads are told when there is more than one, sections when some are marked.
 */
#include <string.h>

#include "report/text_parts.h"

enum { NAME_WIDTH = 32, BAR_COLUMNS = 24 };

static void
put_row(struct ps_text *t, const char *name, const struct ps_view_label *l)
{
	char bytes[16];
	char peak[16];
	char live[16];
	unsigned used;

	ps_text_str(t, "  ");
	used = ps_put_name(t, name, NAME_WIDTH);
	PS_ASSERT(used <= NAME_WIDTH);
	ps_text_fill(t, ' ', NAME_WIDTH - (int)used);
	ps_text_printf(t, " %10s %10s %10s\n", ps_human_bytes(bytes, l->bytes),
		       ps_human_bytes(peak, l->peak_bytes),
		       ps_human_bytes(live, l->live_bytes));
}

static void
put_head(struct ps_text *t, const char *words)
{
	ps_put_heading(t, words, NULL);
	ps_text_printf(t, "  %-*s %10s %10s %10s\n", NAME_WIDTH, "allocated by",
		       "in all", "at peak", "live");
}

/* The greatest of `count` labels by bytes that is below `last`; -1: none. */
static int
next_label(const struct ps_view_label *labels, uint32_t count, double below,
	   int after)
{
	int best = -1;

	for (uint32_t i = 0; i < count; i++) {
		double bytes = labels[i].bytes;
		bool comes_later =
		    bytes < below || (bytes == below && (int)i > after);

		if (bytes > 0 && comes_later &&
		    (best < 0 || bytes > labels[best].bytes))
			best = (int)i;
	}
	return best;
}

static const char *
thread_name(const struct ps_view *v, uint32_t row, char *buffer, size_t bytes)
{
	const struct ps_record_thread *thread =
	    ps_reader_entry(v->reader, PS_TABLE_THREADS, row);
	char name[sizeof(thread->name) + 1] = {0};
	struct ps_text t;

	PS_ASSERT(row < PS_LABEL_THREADS);
	if (row == 0 || thread == NULL)
		return "threads not told apart";
	memcpy(name, thread->name, sizeof(thread->name));
	ps_text_init(&t, buffer, bytes, -1);
	ps_text_printable(&t, name[0] == '\0' ? "thread" : name);
	if (row == 1)
		ps_text_str(&t, " (first)");
	else if (v->reader->merged < 2)
		ps_text_printf(&t, " #%u", row);
	PS_ASSERT(t.cut == 0);
	return buffer;
}

static void
put_threads(struct ps_text_report *r)
{
	const struct ps_view_label *labels = r->view->by_thread;
	double below = 1e300;
	int at = -1;
	char name[80];

	at = next_label(labels, PS_LABEL_THREADS, below, -1);
	if (at < 0 ||
	    next_label(labels, PS_LABEL_THREADS, labels[at].bytes, at) < 0)
		return;
	put_head(r->out, "HEAP BY THREAD");
	for (uint32_t i = 0; i < r->top && at >= 0; i++) {
		put_row(r->out,
			thread_name(r->view, (uint32_t)at, name, sizeof(name)),
			&labels[at]);
		below = labels[at].bytes;
		at = next_label(labels, PS_LABEL_THREADS, below, at);
	}
}

static void
put_sections(struct ps_text_report *r)
{
	const struct ps_reader *reader = r->view->reader;
	uint32_t count = reader->count[PS_TABLE_SECTIONS];
	int at;

	if (r->view->by_section == NULL)
		return;
	at = next_label(r->view->by_section, count, 1e300, -1);
	if (at < 0)
		return;
	put_head(r->out, "HEAP BY SECTION");
	for (uint32_t i = 0; i < r->top && at >= 0; i++) {
		const struct ps_record_section *section =
		    ps_reader_entry(reader, PS_TABLE_SECTIONS, (uint32_t)at);
		const struct ps_view_label *label = &r->view->by_section[at];

		put_row(r->out, ps_reader_string(reader, section->name), label);
		at = next_label(r->view->by_section, count, label->bytes, at);
	}
}

/* Slot i holds what lived for less than 2^(SHIFT + 2 i) ticks. */
static void
put_lifetime(struct ps_text *t, const struct ps_view *v, unsigned slot,
	     double all)
{
	double part = v->lifetime_frees[slot] / all;
	double ticks = (double)(UINT64_C(1) << (PS_LIFETIME_SHIFT + 2 * slot));
	char bound[16];
	char bytes[16];

	PS_ASSERT(slot < PS_LIFETIMES && all > 0);
	PS_ASSERT(part >= 0 && part <= 1);
	if (slot + 1 < PS_LIFETIMES)
		ps_text_printf(
		    t, "  under %8s ",
		    ps_human_time(bound,
				  ticks * ps_reader_tick_seconds(v->reader)));
	else
		ps_text_str(t, "  longer         ");
	for (int i = 0; i < (int)(part * BAR_COLUMNS + 0.5); i++)
		ps_text_str(t, "█");
	ps_text_printf(t, " %d%%  %s\n", (int)(100 * part + 0.5),
		       ps_human_bytes(bytes, v->lifetime_bytes[slot]));
}

static void
put_lifetimes(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	double all = 0;

	for (unsigned i = 0; i < PS_LIFETIMES; i++)
		all += v->lifetime_frees[i];
	if (!(all > 0))
		return;
	ps_put_heading(r->out, "HOW LONG FREED BLOCKS LIVED", NULL);
	for (unsigned i = 0; i < PS_LIFETIMES; i++)
		if (v->lifetime_frees[i] > 0)
			put_lifetime(r->out, v, i, all);
}

void
ps_text_labels(struct ps_text_report *r)
{
	put_threads(r);
	put_sections(r);
	put_lifetimes(r);
}
