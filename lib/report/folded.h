/* SPDX-License-Identifier: MIT */
/*
 * folded - stacks as flame graphs read them: one line a stack
 *
 * "process;main;work;malloc 1234": root first, then a value.  Of two
 * recordings, two values: "process;main;work 1000 1234".
 */
#ifndef PS_REPORT_FOLDED_H
#define PS_REPORT_FOLDED_H

#include "report/paths.h"
#include "report/view.h"

/* A name without what the format means something by: ';' and line ends. */
void ps_folded_put_name(struct ps_text *t, const struct ps_symbol *s);

/* Stacks whose value rounds to 0 are left out.  0 or -ENOMEM. */
int ps_folded(const struct ps_view *view, struct ps_symbols *symbols,
	      enum ps_view_key key, struct ps_scratch *scratch,
	      struct ps_text *out);

/* Root first, ';' between, as one line without its end. */
void ps_folded_put_path(const struct ps_paths *paths, uint32_t path,
			struct ps_text *out);

#endif /* PS_REPORT_FOLDED_H */
