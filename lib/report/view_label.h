/* SPDX-License-Identifier: MIT */
/*
 * view_label - the heap by thread and by section; a part of view
 */
#ifndef PS_REPORT_VIEW_LABEL_H
#define PS_REPORT_VIEW_LABEL_H

#include "report/view.h"

/* After the sites; fills in by_thread and by_section.  0 or -ENOMEM. */
int ps_view_labels(struct ps_view *view, struct ps_scratch *scratch);

#endif /* PS_REPORT_VIEW_LABEL_H */
