/* SPDX-License-Identifier: MIT */
/*
 * json_alerts - alerts[] of the report, one alert alone, and stacks in JSON
 */
#ifndef PS_REPORT_JSON_ALERTS_H
#define PS_REPORT_JSON_ALERTS_H

#include "base/text.h"
#include "report/symbols.h"
#include "report/view_alert.h"

/* Of a snapshot; the recording has up to PS_ALERT_SITES. */
enum { PS_JSON_ALERT_SITES = 10 };

/* A stack as an array of strings, leaf first. */
void ps_json_stack(const struct ps_stack_names *names, struct ps_text *out);

/* One object; `names` is room for one stack. */
void ps_json_alert(const struct ps_reader *r, const struct ps_view_alert *alert,
		   struct ps_symbols *symbols, struct ps_stack_names *names,
		   struct ps_text *out);

/* The array of all of them. */
void ps_json_alerts(const struct ps_reader *r, struct ps_symbols *symbols,
		    struct ps_stack_names *names, struct ps_text *out);

#endif /* PS_REPORT_JSON_ALERTS_H */
