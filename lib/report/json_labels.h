/* SPDX-License-Identifier: MIT */
/*
 * json_labels - the heap by thread, by section and by lifetime, in JSON
 */
#ifndef PS_REPORT_JSON_LABELS_H
#define PS_REPORT_JSON_LABELS_H

#include "base/text.h"
#include "report/view.h"

/* Members of the object heap, each with a comma before it. */
void ps_json_labels(const struct ps_view *v, struct ps_text *out);

#endif /* PS_REPORT_JSON_LABELS_H */
