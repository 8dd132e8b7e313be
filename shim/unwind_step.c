/* SPDX-License-Identifier: MIT */
/*
 * unwind_step - the rarer ways from a frame to its caller
 */
#include "shim/unwind_step.h"
#include "shim/unwind_cache.h"

enum { LINKS_MAX = 128 };

static uintptr_t
base_value(const struct ps_walk *w, unsigned base, uintptr_t cfa)
{
	switch (base) {
	case PS_BASE_SP:
		return w->sp;
	case PS_BASE_FP:
		return w->fp;
	default:
		return cfa;
	}
}

/* PS_RULE_SIGNAL and loaded CFAs come here, too. */
bool
ps_walk_step_general(struct ps_walk *w, const struct ps_rule *r)
{
	uintptr_t cfa = base_value(w, r->cfa_base, 0) + (intptr_t)r->cfa_offset;
	uintptr_t pc_at;
	uintptr_t fp_at;
	uintptr_t fp = w->fp;

	if ((r->flags & PS_RULE_CFA_LOADED) != 0) {
		if (!ps_walk_is_readable(w, cfa))
			return false;
		cfa = ps_walk_word(cfa);
	}
	pc_at = base_value(w, r->pc_base, cfa) + (intptr_t)r->pc_offset;
	if (!ps_walk_is_readable(w, pc_at))
		return false;
	if (r->fp_base != PS_BASE_NONE) {
		fp_at = base_value(w, r->fp_base, cfa) + (intptr_t)r->fp_offset;
		if (!ps_walk_is_readable(w, fp_at))
			return false;
		fp = ps_walk_word(fp_at);
	}
	if (cfa <= w->sp || cfa > w->high || cfa % 8 != 0)
		return false;
	w->pc = ps_walk_word(pc_at);
	w->sp = cfa;
	w->fp = fp;
	w->pc_at = 0;
	w->fp_at = 0;
	w->has_used_fp = true;
	w->is_exact = (r->flags & PS_RULE_SIGNAL) != 0;
	return true;
}

/* One link: what is at rbp, and the return address above it. */
static bool
follow_link(struct ps_walk *w)
{
	uintptr_t at = w->fp;

	if (at < w->sp || !ps_walk_is_readable(w, at) ||
	    !ps_walk_is_readable(w, at + 8))
		return false;
	w->sp = at + 16;
	w->fp = ps_walk_word(at);
	w->pc = ps_walk_word(at + 8);
	w->fp_at = at;
	w->pc_at = at + 8;
	w->has_used_fp = true;
	w->is_exact = false;
	return true;
}

/* Tables that can be used, or that say: the first frame. */
static bool
has_rule(const struct ps_walk *w, uintptr_t stack_low)
{
	struct ps_rule rule;

	return w->pc != 0 && ps_unwind_rule(w->pc, false, stack_low, &rule) &&
	       (rule.flags & PS_RULE_STOP) == 0;
}

PS_COLD bool
ps_walk_step_frame_chain(struct ps_walk *w, uintptr_t stack_low)
{
	struct ps_walk ahead = *w;

	if (w->fp >= w->sp && w->fp < w->chain_end)
		return follow_link(w);
	for (int i = 0; i < LINKS_MAX && follow_link(&ahead); i++) {
		if (!has_rule(&ahead, stack_low))
			continue;
		w->chain_end = ahead.sp;
		return follow_link(w);
	}
	return false;
}
