/* SPDX-License-Identifier: MIT */
#include "monitor/rule.h"
#include "report/json_alerts.h"

static void
put_name(struct ps_text *out, const struct ps_symbol *s)
{
	char name[1024];
	struct ps_text text;

	PS_ASSERT(s->module != NULL);
	ps_text_init(&text, name, sizeof(name), -1);
	if (s->function != NULL)
		ps_text_printf(&text, "%.900s (%.80s)", s->function, s->module);
	else
		ps_text_printf(&text, "%.80s+0x%lx", s->module,
			       (unsigned long)s->offset);
	PS_ASSERT(text.cut == 0);
	ps_text_json_string(out, name);
}

void
ps_json_stack(const struct ps_stack_names *names, struct ps_text *out)
{
	ps_text_char(out, '[');
	for (uint32_t i = 0; i < names->count; i++) {
		if (i > 0)
			ps_text_char(out, ',');
		put_name(out, &names->at[i]);
	}
	ps_text_char(out, ']');
}

static void
put_number(struct ps_text *t, const char *key, double value)
{
	ps_text_printf(t, "\"%s\":", key);
	ps_text_json_number(t, value);
	ps_text_char(t, ',');
}

static void
put_string(struct ps_text *t, const char *key, const char *value)
{
	ps_text_printf(t, "\"%s\":", key);
	if (value == NULL)
		ps_text_str(t, "null");
	else
		ps_text_json_string(t, value);
	ps_text_char(t, ',');
}

static void
put_stack(const struct ps_reader *r, const struct ps_record_site *site,
	  struct ps_symbols *symbols, struct ps_stack_names *names,
	  struct ps_text *t)
{
	ps_text_str(t, "\"stack\":");
	if (site == NULL) {
		ps_text_str(t, "null,");
		return;
	}
	ps_stack_names(r, symbols, site, names);
	ps_json_stack(names, t);
	ps_text_char(t, ',');
}

static void
put_snapshot(const struct ps_reader *r, const struct ps_view_alert *a,
	     struct ps_symbols *symbols, struct ps_stack_names *names,
	     struct ps_text *t)
{
	uint32_t shown = PS_MIN(a->sites, (uint32_t)PS_JSON_ALERT_SITES);
	const struct ps_record_site *site;
	double bytes = 0;
	double blocks = 0;

	ps_text_str(t, "\"sites\":[");
	for (uint32_t i = 0; i < shown; i++) {
		site = ps_view_alert_site(r, a, i, &bytes, &blocks);
		ps_text_str(t, i == 0 ? "{" : ",{");
		put_stack(r, site, symbols, names, t);
		put_number(t, "live_bytes", bytes);
		ps_text_str(t, "\"live_blocks\":");
		ps_text_json_number(t, blocks);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
}

void
ps_json_alert(const struct ps_reader *r, const struct ps_view_alert *a,
	      struct ps_symbols *symbols, struct ps_stack_names *names,
	      struct ps_text *t)
{
	const struct ps_record_process *p = &r->header->process;

	PS_ASSERT(a->rule != NULL && a->version % 2 == 0); /* it is whole */
	ps_text_char(t, '{');
	put_string(t, "rule", a->rule);
	put_string(t, "severity", ps_severity_name(a->row.severity));
	put_number(t, "at_s", a->at_s);
	/* a date has more than nine digits before the milliseconds */
	ps_text_str(t, "\"time\":");
	ps_text_fixed(t, a->time_s, 3);
	ps_text_char(t, ',');
	put_number(t, "value", a->row.value);
	put_number(t, "threshold", a->row.threshold);
	put_string(t, "unit", ps_unit_name(a->row.unit));
	put_string(t, "section", a->section);
	put_number(t, "thread", a->row.thread);
	put_number(t, "pid", p->pid);
	put_string(t, "exe", ps_reader_string(r, p->exe));
	put_number(t, "heap_bytes", (double)a->row.live_bytes);
	put_number(t, "replaced", a->row.replaced);
	put_stack(r, a->site, symbols, names, t);
	put_snapshot(r, a, symbols, names, t);
	ps_text_char(t, '}');
}

void
ps_json_alerts(const struct ps_reader *r, struct ps_symbols *symbols,
	       struct ps_stack_names *names, struct ps_text *t)
{
	struct ps_view_alert a;
	bool is_first = true;

	ps_text_char(t, '[');
	for (uint32_t i = 0; i < r->count[PS_TABLE_ALERTS]; i++) {
		if (!ps_view_alert(r, i, &a))
			continue;
		if (!is_first)
			ps_text_char(t, ',');
		is_first = false;
		ps_json_alert(r, &a, symbols, names, t);
	}
	ps_text_char(t, ']');
}
