/* SPDX-License-Identifier: MIT */
/*
 * json - the report as JSON, schema perfshim-report/1 (report.schema.json)
 */
#ifndef PS_REPORT_JSON_H
#define PS_REPORT_JSON_H

#include "base/scratch.h"
#include "report/view.h"

/*
 * `names` is room for one stack; heap.sites are the `most` greatest by bytes.
 * 0 or -ENOMEM.
 */
int ps_report_json(const struct ps_view *view, struct ps_symbols *symbols,
		   struct ps_stack_names *names, uint32_t most,
		   struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_JSON_H */
