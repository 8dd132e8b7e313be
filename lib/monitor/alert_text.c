/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/alert_text.h"

void
ps_alert_put_value(struct ps_text *t, double value, uint32_t unit)
{
	char human[16];

	switch (unit) {
	case PS_IN_BYTES:
	case PS_IN_BYTES_PER_S:
		ps_text_str(t, ps_human_bytes(human, value));
		break;
	case PS_IN_SECONDS:
		ps_text_str(t, ps_human_time(human, value));
		break;
	case PS_IN_FRACTION:
		ps_text_fixed(t, value * 100, value < 0.1 ? 2 : 1);
		ps_text_char(t, '%');
		break;
	default:
		ps_text_str(t, ps_human_count(human, value));
		break;
	}
	if (unit == PS_IN_BYTES_PER_S || unit == PS_IN_PER_S)
		ps_text_str(t, "/s");
}

void
ps_alert_put_line(struct ps_text *t, const struct ps_alert_words *w)
{
	const char *severity = ps_severity_name(w->severity);

	/* A rule that was written with its severity says it. */
	if (strncmp(w->rule, severity, strlen(severity)) != 0)
		ps_text_printf(t, "%s: ", severity);
	ps_text_printable(t, w->rule);
	if (w->section != NULL) {
		ps_text_str(t, ": in ");
		ps_text_printable(t, w->section);
	}
	ps_text_str(t, ": ");
	ps_alert_put_value(t, w->value, w->unit);
	ps_text_str(t, ", threshold ");
	ps_alert_put_value(t, w->threshold, w->unit);
	if (w->exe == NULL)
		return;
	ps_text_str(t, " (");
	ps_text_printable(t, w->exe);
	ps_text_printf(t, ", pid %u)", w->pid);
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
put_number(struct ps_text *t, const char *key, double value)
{
	ps_text_printf(t, "\"%s\":", key);
	ps_text_json_number(t, value);
	ps_text_char(t, ',');
}

static void
put_id(struct ps_text *t, const char *key, uint32_t id)
{
	if (id == 0)
		ps_text_printf(t, "\"%s\":null,", key);
	else
		ps_text_printf(t, "\"%s\":%u,", key, id);
}

void
ps_alert_put_json(struct ps_text *t, const struct ps_alert_words *w)
{
	PS_ASSERT(w->rule != NULL); /* null is for what is not said */
	ps_text_char(t, '{');
	put_string(t, "rule", w->rule);
	put_string(t, "severity", ps_severity_name(w->severity));
	put_number(t, "value", w->value);
	put_number(t, "threshold", w->threshold);
	put_string(t, "unit", ps_unit_name(w->unit));
	put_string(t, "section", w->section);
	put_id(t, "thread", w->thread);
	put_id(t, "pid", w->pid);
	put_string(t, "exe", w->exe);
	ps_text_str(t, "\"time\":");
	/* json_number's nine digits end at the second */
	if (w->time_s != w->time_s)
		ps_text_str(t, "null");
	else
		ps_text_fixed(t, w->time_s, 3);
	ps_text_char(t, '}');
}
