/* SPDX-License-Identifier: MIT */
/*
 * json - the report as JSON, schema perfshim-report/1 (report.schema.json)
 */
#ifndef PS_REPORT_JSON_H
#define PS_REPORT_JSON_H

#include "report/view.h"

/* Of heap.sites: the greatest by bytes. */
enum { PS_JSON_SITES_MAX = 1000 };

/* `names` is room for one stack. */
void ps_report_json(const struct ps_view *view, struct ps_symbols *symbols,
		    struct ps_stack_names *names, struct ps_text *out);

#endif /* PS_REPORT_JSON_H */
