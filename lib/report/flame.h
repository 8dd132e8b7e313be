/* SPDX-License-Identifier: MIT */
/*
 * flame - the stacks as one tree, for the flame graphs of the page
 *
 * A node is a place with what all stacks through it add up to, in every value
 * at once, so that a switch between values needs no other tree.
 */
#ifndef PS_REPORT_FLAME_H
#define PS_REPORT_FLAME_H

#include "report/paths.h"
#include "report/view.h"

enum {
	PS_FLAME_KEYS = PS_BY_TEMPORARY + 1,
	PS_FLAME_SIDES = 2, /* with --diff: OLD, NEW */
	/* Beyond that the smallest are drawn as part of their callers. */
	PS_FLAME_NODES = 12000,
};

struct ps_flame_value {
	double sum[PS_FLAME_SIDES][PS_FLAME_KEYS];
	double variance[PS_FLAME_KEYS]; /* of the sum, or of the difference */
};

/* What path number `path` adds. */
typedef void ps_flame_valuer(void *context, uint32_t path,
			     struct ps_flame_value *out);

/*
 * The tree of all paths as a JSON object of columns: `frames` ([name, module,
 * file]), `parent` and `frame` of each node (the root, node 0, has neither),
 * and for each value its figures and half their 95 % intervals.  0 or -ENOMEM.
 */
int ps_flame_json(const struct ps_paths *paths, unsigned sides,
		  ps_flame_valuer *value, void *context, uint32_t most_nodes,
		  struct ps_scratch *scratch, struct ps_text *out);

/* The same of one recording. */
int ps_flame_of_view(const struct ps_view *view, struct ps_symbols *symbols,
		     struct ps_scratch *scratch, struct ps_text *out);

/* "peak", "allocated", ... as --folded names them. */
const char *ps_flame_key_name(enum ps_view_key key);

#endif /* PS_REPORT_FLAME_H */
