/* SPDX-License-Identifier: MIT */
/*
 * unwind_step - from the registers in a frame to those of its caller
 *
 * Inside the unwinder only.  A step says what it depended on: where it read the
 * return address and rbp, and whether it computed anything from rbp.
 */
#ifndef PS_UNWIND_STEP_H
#define PS_UNWIND_STEP_H

#include "shim/unwind_decode.h"

struct ps_walk {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t low; /* readable: [low, high) */
	uintptr_t high;
	uintptr_t chain_end; /* below it, rbp was seen to be a frame chain */
	bool is_exact;
	/* Of the last step: */
	bool has_used_fp;
	uintptr_t pc_at; /* 0: it depended on more than is told here */
	uintptr_t fp_at; /* 0: rbp was left as it was */
};

static inline bool
ps_walk_is_readable(const struct ps_walk *w, uintptr_t address)
{
	return address - w->low < w->high - w->low - 7 && address % 8 == 0;
}

/*
 * A word of the stack as it is.  The address sanitizer, which knows what each
 * frame made of its part, is not asked.
 */
#ifdef __SANITIZE_ADDRESS__
__attribute__((no_sanitize_address, noinline, unused)) static uintptr_t
#else
static inline uintptr_t
#endif
ps_walk_word(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

/* Any rule; false: it leads to memory that is not this stack. */
bool ps_walk_step_general(struct ps_walk *w, const struct ps_rule *r);

/*
 * Code without tables: go on along rbp, if that leads back, by 128 links at
 * most, to code that has some.
 */
bool ps_walk_step_frame_chain(struct ps_walk *w, uintptr_t stack_low);

/* The form that nearly all frames have: everything relative to the CFA. */
static inline bool
ps_walk_step(struct ps_walk *w, const struct ps_rule *r)
{
	bool is_of_fp = r->cfa_base == PS_BASE_FP;
	uintptr_t cfa;
	uintptr_t pc_at;
	uintptr_t fp_at;

	if (ps_unlikely(r->flags != 0 || r->pc_base != PS_BASE_CFA ||
			(r->fp_base & PS_BASE_CFA) == 0))
		return ps_walk_step_general(w, r);
	cfa = (is_of_fp ? w->fp : w->sp) + (intptr_t)r->cfa_offset;
	pc_at = cfa + (intptr_t)r->pc_offset;
	fp_at = cfa + (intptr_t)r->fp_offset;
	if (ps_unlikely(cfa <= w->sp || cfa > w->high || cfa % 8 != 0 ||
			!ps_walk_is_readable(w, pc_at)))
		return false;
	w->pc = ps_walk_word(pc_at);
	w->sp = cfa;
	w->pc_at = pc_at;
	w->fp_at = 0;
	w->has_used_fp = is_of_fp;
	if (r->fp_base == PS_BASE_CFA) {
		if (ps_unlikely(!ps_walk_is_readable(w, fp_at)))
			return false;
		w->fp = ps_walk_word(fp_at);
		w->fp_at = fp_at;
	}
	w->is_exact = false;
	return true;
}

#endif /* PS_UNWIND_STEP_H */
