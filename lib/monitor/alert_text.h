/* SPDX-License-Identifier: MIT */
/*
 * alert_text - an alert in words and as JSON, for whoever is told of it
 */
#ifndef PS_MONITOR_ALERT_TEXT_H
#define PS_MONITOR_ALERT_TEXT_H

#include "base/text.h"
#include "monitor/rule.h"

struct ps_alert_words {
	const char *rule;
	const char *section; /* NULL: none */
	const char *exe;     /* NULL: not said */
	uint32_t pid;	     /* with exe */
	uint32_t thread;     /* id; 0: not said */
	uint32_t severity;
	uint32_t unit;
	double value;
	double threshold;
	double time_s; /* since 1970; NAN: not said */
};

/* "812 MiB", "5.20 ms", "80%", "10.0 MiB/s"; "unknown" for NAN. */
void ps_alert_put_value(struct ps_text *t, double value, uint32_t unit);

/*
 * "warning: heap > 1GiB: 1.01 GiB, threshold 1.00 GiB (app, pid 7)", without a
 * newline; rule and names are made printable.
 */
void ps_alert_put_line(struct ps_text *t, const struct ps_alert_words *w);

/* One object without a newline; what is not said is null. */
void ps_alert_put_json(struct ps_text *t, const struct ps_alert_words *w);

#endif /* PS_MONITOR_ALERT_TEXT_H */
