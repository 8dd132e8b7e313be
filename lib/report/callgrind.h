/* SPDX-License-Identifier: MIT */
/*
 * callgrind - the sites as a call graph, for callgrind_annotate and KCachegrind
 *
 * The format is that of valgrind's manual, "Callgrind Format Specification".
 */
#ifndef PS_REPORT_CALLGRIND_H
#define PS_REPORT_CALLGRIND_H

#include "report/view.h"

/* 0 or -ENOMEM. */
int ps_callgrind(const struct ps_view *view, struct ps_symbols *symbols,
		 struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_CALLGRIND_H */
