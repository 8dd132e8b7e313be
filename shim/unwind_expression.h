/* SPDX-License-Identifier: MIT */
/*
 * unwind_expression - DWARF expressions, without the registers they speak of
 *
 * Inside the unwinder only.
 */
#ifndef PS_UNWIND_EXPRESSION_H
#define PS_UNWIND_EXPRESSION_H

#include "shim/unwind_bytes.h"
#include "shim/unwind_decode.h"

/*
 * A value that is known but for a register or the CFA: base + offset, or the
 * word at base + at, + offset.  With PS_BASE_NONE: the number `offset`.
 */
struct ps_symbol {
	int64_t offset;
	int32_t at;
	uint8_t base; /* enum ps_rule_base */
	bool is_word;
};

/*
 * What an expression in the frame of pc comes to, begun with *first on the
 * stack (NULL: with an empty one).  false: it is wrong, endless, or has no such
 * form.
 */
bool ps_unwind_evaluate(struct ps_bytes code, uintptr_t pc,
			const struct ps_symbol *first, struct ps_symbol *out);

#endif /* PS_UNWIND_EXPRESSION_H */
