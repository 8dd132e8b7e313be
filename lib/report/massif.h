/* SPDX-License-Identifier: MIT */
/*
 * massif - the heap over time and at its peak, for ms_print and its viewers
 */
#ifndef PS_REPORT_MASSIF_H
#define PS_REPORT_MASSIF_H

#include "report/view.h"

/* 0 or -ENOMEM. */
int ps_massif(const struct ps_view *view, struct ps_symbols *symbols,
	      struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_MASSIF_H */
