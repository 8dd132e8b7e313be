/* SPDX-License-Identifier: MIT */
/*
 * monitor_report - a monitor's operations and alerts as text, JSON, Prometheus
 */
#include "monitor/monitor_state.h"
#include "monitor/prom.h"

#define NOT_KNOWN __builtin_nan("")

struct row {
	const char *name;
	uint64_t calls;
	uint64_t errors;
	double mean_s;
	double p50_s;
	double p90_s;
	double p99_s;
	double max_s;
};

static double
quantile(const struct ps_calls *c, double q)
{
	uint64_t ns;

	if (ps_hist_quantile(c->histogram, c->over, c->max_ticks, q, &ns) != 0)
		return NOT_KNOWN;
	return (double)ns * 1e-9;
}

static void
fill_row(const struct ps_monitor *m, uint32_t operation, struct ps_calls *calls,
	 struct row *row)
{
	ps_monitor_calls(m, operation, calls);
	*row = (struct row){
	    .name = m->operation[operation].name,
	    .calls = calls->calls,
	    .errors = calls->errors,
	    .mean_s = NOT_KNOWN,
	    .p50_s = quantile(calls, 0.5),
	    .p90_s = quantile(calls, 0.9),
	    .p99_s = quantile(calls, 0.99),
	    .max_s = NOT_KNOWN,
	};
	if (calls->calls == 0)
		return;
	row->mean_s = (double)calls->total_ticks * 1e-9 / (double)calls->calls;
	row->max_s = (double)calls->max_ticks * 1e-9;
}

/* ---- text --------------------------------------------------------------- */

static void
text_row(struct ps_text *t, const struct row *r)
{
	const double times[] = {r->mean_s, r->p50_s, r->p90_s, r->p99_s,
				r->max_s};
	char human[16];
	char name[24];
	struct ps_text cut;

	ps_text_init(&cut, name, sizeof(name), -1);
	ps_text_printable(&cut, r->name);
	ps_text_printf(t, "%-23s", name);
	ps_text_printf(t, " %8s", ps_human_count(human, (double)r->calls));
	ps_text_printf(t, " %7s", ps_human_count(human, (double)r->errors));
	for (unsigned i = 0; i < PS_COUNT(times); i++)
		ps_text_printf(t, " %8s", ps_human_time(human, times[i]));
	ps_text_char(t, '\n');
}

static void
text_head(const struct ps_monitor *m, struct ps_text *t)
{
	for (uint32_t s = 0; s <= PS_SEVERITY_CRITICAL; s++)
		ps_text_printf(t, "%s%lu %s", s == 0 ? "alerts: " : ", ",
			       (unsigned long)ps_peek(&m->raised[s]),
			       ps_severity_name(s));
	ps_text_printf(t, "; dropped %lu\n",
		       (unsigned long)ps_monitor_dropped(m));
	ps_text_printf(t, "%-23s %8s %7s %8s %8s %8s %8s %8s\n", "operation",
		       "calls", "failed", "mean", "p50", "p90", "p99", "max");
}

/* ---- JSON --------------------------------------------------------------- */

static void
json_number(struct ps_text *t, const char *key, double value)
{
	ps_text_printf(t, ",\"%s\":", key);
	ps_text_json_number(t, value);
}

static void
json_count(struct ps_text *t, const char *key, uint64_t value)
{
	ps_text_printf(t, ",\"%s\":", key);
	ps_text_u64(t, value);
}

static void
json_row(struct ps_text *t, const struct row *r)
{
	ps_text_str(t, "{\"name\":");
	ps_text_json_string(t, r->name);
	json_count(t, "calls", r->calls);
	json_count(t, "errors", r->errors);
	json_number(t, "mean_s", r->mean_s);
	json_number(t, "p50_s", r->p50_s);
	json_number(t, "p90_s", r->p90_s);
	json_number(t, "p99_s", r->p99_s);
	json_number(t, "max_s", r->max_s);
	ps_text_char(t, '}');
}

static void
json_head(const struct ps_monitor *m, struct ps_text *t)
{
	ps_text_str(t, "{\"schema\":\"perfshim-monitor/1\",\"alerts\":{");
	for (uint32_t s = 0; s <= PS_SEVERITY_CRITICAL; s++)
		ps_text_printf(t, "\"%s\":%lu,", ps_severity_name(s),
			       (unsigned long)ps_peek(&m->raised[s]));
	ps_text_printf(t, "\"dropped\":%lu},\"operations\":[",
		       (unsigned long)ps_monitor_dropped(m));
}

static void
write_rows(const struct ps_monitor *m, bool is_json, struct ps_text *out)
{
	struct ps_calls calls;
	struct row row;
	uint32_t count = atomic_load(&m->operations);

	PS_ASSERT(count <= PS_MONITOR_OPERATIONS);
	for (uint32_t i = 0; i < count; i++) {
		fill_row(m, i, &calls, &row);
		if (is_json && i > 0)
			ps_text_char(out, ',');
		if (is_json)
			json_row(out, &row);
		else
			text_row(out, &row);
	}
}

/* ---- Prometheus --------------------------------------------------------- */

static struct ps_prom_labels
label_of(struct ps_prom_label *label, const char *name, const char *value)
{
	*label = (struct ps_prom_label){name, value};
	return (struct ps_prom_labels){label, 1};
}

static void
prom_operations(const struct ps_monitor *m, struct ps_text *t)
{
	static const char duration[] = "perfshim_operation_duration_seconds";
	static const char errors[] = "perfshim_operation_errors_total";
	uint32_t count = atomic_load(&m->operations);
	struct ps_prom_label label;
	struct ps_calls calls;

	ps_prom_head(t, duration, "histogram", "Durations of operations.");
	for (uint32_t i = 0; i < count; i++) {
		struct ps_prom_labels labels =
		    label_of(&label, "operation", m->operation[i].name);

		ps_monitor_calls(m, i, &calls);
		ps_prom_histogram(t, duration, &labels, &calls, 1e-9);
	}
	ps_prom_head(t, errors, "counter", "Operations that failed.");
	for (uint32_t i = 0; i < count; i++) {
		struct ps_prom_labels labels =
		    label_of(&label, "operation", m->operation[i].name);

		ps_prom_count(t, errors, &labels,
			      ps_peek(&m->operation[i].errors));
	}
}

static void
prom_alerts(const struct ps_monitor *m, struct ps_text *t)
{
	static const char raised[] = "perfshim_alerts_total";
	static const char dropped[] = "perfshim_alerts_dropped_total";
	static const struct ps_prom_labels none;
	struct ps_prom_label label;

	ps_prom_head(t, raised, "counter", "Alerts raised, by severity.");
	for (uint32_t s = 0; s <= PS_SEVERITY_CRITICAL; s++) {
		struct ps_prom_labels labels =
		    label_of(&label, "severity", ps_severity_name(s));

		ps_prom_count(t, raised, &labels, ps_peek(&m->raised[s]));
	}
	ps_prom_head(t, dropped, "counter",
		     "Alerts that found the queue full.");
	ps_prom_count(t, dropped, &none, ps_monitor_dropped(m));
}

void
ps_monitor_report(const struct ps_monitor *m, enum ps_monitor_format format,
		  struct ps_text *out)
{
	PS_ASSERT(format <= PS_MONITOR_PROMETHEUS);
	switch (format) {
	case PS_MONITOR_TEXT:
		text_head(m, out);
		write_rows(m, false, out);
		break;
	case PS_MONITOR_JSON:
		json_head(m, out);
		write_rows(m, true, out);
		ps_text_str(out, "]}\n");
		break;
	case PS_MONITOR_PROMETHEUS:
		prom_operations(m, out);
		prom_alerts(m, out);
		break;
	}
}
