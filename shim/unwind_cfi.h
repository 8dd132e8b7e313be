/* SPDX-License-Identifier: MIT */
/*
 * unwind_cfi - how the caller's registers are kept, at one address of a
 * function
 *
 * Inside the unwinder only.
 */
#ifndef PS_UNWIND_CFI_H
#define PS_UNWIND_CFI_H

#include "shim/unwind_table.h"

/* DWARF's numbers of registers (x86-64 psABI, figure 3.36). */
enum {
	PS_REGISTER_FP = 6,
	PS_REGISTER_SP = 7,
	PS_REGISTER_PC = 16, /* the return address */
};

enum ps_cfi_kind {
	PS_CFI_SAME,	  /* the caller's value is in the register still */
	PS_CFI_UNDEFINED, /* it is nowhere */
	PS_CFI_AT_CFA,	  /* in memory at CFA + offset */
	PS_CFI_AT,	  /* in memory where the expression says */
	PS_CFI_VALUE,	  /* not in memory: CFA + offset, an expression's value,
			   * another register */
};

struct ps_cfi_column {
	enum ps_cfi_kind kind;
	int64_t offset;
	struct ps_bytes expression;
};

/* One row of the table that the instructions make, as far as it is used. */
struct ps_cfi_row {
	uint64_t cfa_register; /* CFA = register + offset, or the expression */
	int64_t cfa_offset;
	bool is_cfa_expression;
	struct ps_bytes cfa_expression;
	struct ps_cfi_column pc;
	struct ps_cfi_column fp;
};

/* false: an instruction is unknown or incomplete. */
bool ps_unwind_cfi_row(const struct ps_fde *fde, uintptr_t pc,
		       struct ps_cfi_row *out);

#endif /* PS_UNWIND_CFI_H */
