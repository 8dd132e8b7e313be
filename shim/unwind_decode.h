/* SPDX-License-Identifier: MIT */
/*
 * unwind_decode - what the unwind tables say about one address, as a rule
 *
 * Inside the unwinder only.  Any thread, signal handlers included: no state is
 * kept, and less than 2 KiB of stack is used.
 */
#ifndef PS_UNWIND_DECODE_H
#define PS_UNWIND_DECODE_H

#include "base/base.h"

struct ps_unwind_module;

/* What an address is relative to. */
enum ps_rule_base {
	PS_BASE_SP,  /* the frame's own stack pointer */
	PS_BASE_FP,  /* the frame's own rbp */
	PS_BASE_CFA, /* the caller's stack pointer, once known */
	PS_BASE_NONE,
};

/*
 * How to get from the registers in a frame to those of its caller:
 *   cfa = base + offset, or the word at base + offset (is_cfa_loaded)
 *   pc  = the word at base + offset
 *   fp  = the word at base + offset, or unchanged (PS_BASE_NONE)
 */
struct ps_rule {
	int32_t cfa_offset;
	int32_t pc_offset;
	int32_t fp_offset;
	uint8_t cfa_base;
	uint8_t pc_base;
	uint8_t fp_base;
	uint8_t flags; /* PS_RULE_* */
};
enum {
	PS_RULE_CFA_LOADED = 1,
	PS_RULE_SIGNAL = 2, /* the caller was interrupted: its pc is exact */
	PS_RULE_END = 4,    /* the thread's first frame */
	PS_RULE_STOP = 8,   /* nothing usable is known */
};

/* Always gives a rule; PS_RULE_STOP is one. */
void ps_unwind_decode(uintptr_t pc, bool is_exact, struct ps_rule *out);

/* The same by a module's tables, of an address in it as it is. */
void ps_unwind_decode_in(const struct ps_unwind_module *module, uintptr_t pc,
			 struct ps_rule *out);

#endif /* PS_UNWIND_DECODE_H */
