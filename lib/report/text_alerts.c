/* SPDX-License-Identifier: MIT */
/*
 * text_alerts - the rules that came true, and the heap when one last did
 *
 * One alert is two lines, and the stack of one on a section; the snapshot that
 * is told is the last one, because that is the one before the end.  JSON has
 * them all.
 */
#include "monitor/alert_text.h"
#include "report/text_parts.h"
#include "report/view_alert.h"

enum { ALERTS_MAX = 30, RULE_COLUMNS = 76, SECTION_COLUMNS = 30 };

static void
put_alert(struct ps_text_report *r, const struct ps_view_alert *a)
{
	struct ps_text *t = r->out;
	char value[24];
	char human[16];
	struct ps_text text;

	PS_ASSERT(a->rule != NULL && a->version % 2 == 0); /* it is whole */
	ps_text_str(t, "  ");
	ps_text_style(t, a->row.severity >= PS_SEVERITY_CRITICAL ? PS_RED
								 : PS_YELLOW);
	(void)ps_put_name(t, a->rule, RULE_COLUMNS);
	ps_text_style(t, PS_PLAIN);
	ps_text_init(&text, value, sizeof(value), -1);
	ps_alert_put_value(&text, a->row.value, a->row.unit);
	ps_text_printf(t, "\n      %s at %s: %s, threshold ",
		       ps_severity_name(a->row.severity),
		       ps_human_time(human, a->at_s), value);
	ps_alert_put_value(t, a->row.threshold, a->row.unit);
	if (a->section != NULL) {
		ps_text_str(t, ", in ");
		(void)ps_put_name(t, a->section, SECTION_COLUMNS);
	}
	ps_text_char(t, '\n');
	if (a->row.replaced > 0)
		ps_text_printf(t,
			       "      and %u before it, since its share of "
			       "rows is full\n",
			       a->row.replaced);
	/* That of one on memory is told with its snapshot. */
	if (a->section != NULL && a->site != NULL) {
		ps_text_printf(t, "      a call by thread %u\n", a->row.thread);
		ps_put_stack(r, a->site);
	}
}

/* Index of the last alert that has a snapshot, by time; -1: none has. */
static int
last_snapshot(const struct ps_reader *r)
{
	struct ps_view_alert a;
	uint64_t latest = 0;
	int found = -1;

	for (uint32_t i = 0; i < r->count[PS_TABLE_ALERTS]; i++) {
		if (!ps_view_alert(r, i, &a) || a.sites == 0 ||
		    a.row.ticks < latest)
			continue;
		latest = a.row.ticks;
		found = (int)i;
	}
	return found;
}

static void
put_snapshot(struct ps_text_report *r, const struct ps_view_alert *a)
{
	const struct ps_reader *reader = r->view->reader;
	uint32_t shown = PS_MIN(a->sites, r->top);
	double bytes = 0;
	double blocks = 0;
	char human[16];

	ps_put_heading(r->out, "THE HEAP AT THE LAST ALERT", NULL);
	ps_text_printf(r->out, "  %s live",
		       ps_human_bytes(human, (double)a->row.live_bytes));
	ps_text_printf(r->out, " at %s\n", ps_human_time(human, a->at_s));
	for (uint32_t i = 0; i < shown; i++) {
		const struct ps_record_site *site =
		    ps_view_alert_site(reader, a, i, &bytes, &blocks);

		if (site == NULL)
			continue;
		ps_text_printf(r->out, "%4u  %s", i + 1,
			       ps_human_bytes(human, bytes));
		ps_text_printf(r->out, " in %s blocks\n",
			       ps_human_count(human, blocks));
		ps_put_stack(r, site);
	}
	if (a->site == NULL)
		return;
	ps_text_str(r->out, "  noticed during an allocation by\n");
	ps_put_stack(r, a->site);
}

void
ps_text_alerts(struct ps_text_report *r)
{
	const struct ps_reader *reader = r->view->reader;
	uint32_t count = reader->count[PS_TABLE_ALERTS];
	struct ps_view_alert a;
	int last;

	if (count == 0)
		return;
	ps_put_heading(r->out, "ALERTS", NULL);
	for (uint32_t i = 0; i < count && i < ALERTS_MAX; i++)
		if (ps_view_alert(reader, i, &a))
			put_alert(r, &a);
	if (count > ALERTS_MAX)
		ps_text_printf(r->out, "  ... %u more\n", count - ALERTS_MAX);
	last = last_snapshot(reader);
	PS_ASSERT(last < 0 || (uint32_t)last < count);
	if (last >= 0 && ps_view_alert(reader, (uint32_t)last, &a))
		put_snapshot(r, &a);
}
