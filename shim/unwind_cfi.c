/* SPDX-License-Identifier: MIT */
/*
 * unwind_cfi - how the caller's registers are kept, at one address of a
 * function
 *
 * Call frame instructions (DWARF 5, 6.4.2, and the GNU extensions) make a table
 * with a row for each range of addresses and a column for each register.  They
 * are run from the function's start until the row of the address is there.  Of
 * the columns, only the return address and rbp are kept, because a walk follows
 * nothing else (unwind_decode); what is said of others is read and passed over.
 *
 * Costs: linear in the bytes of the instructions, each of which is read at most
 * once: there are no loops.  State is a few hundred bytes of stack.
 */
#include "shim/unwind_cfi.h"

enum { SAVED_MAX = 4 }; /* compilers nest remember_state once */

/* High two bits, with an operand in the others. */
enum {
	PRIMARY = 0xc0,
	OPERAND = 0x3f,
	ADVANCE_LOC = 0x40,
	OFFSET = 0x80,
	RESTORE = 0xc0,
};

enum {
	NOP = 0x00,
	SET_LOC = 0x01,
	ADVANCE_LOC1 = 0x02,
	ADVANCE_LOC2 = 0x03,
	ADVANCE_LOC4 = 0x04,
	OFFSET_EXTENDED = 0x05,
	RESTORE_EXTENDED = 0x06,
	UNDEFINED = 0x07,
	SAME_VALUE = 0x08,
	REGISTER = 0x09,
	REMEMBER_STATE = 0x0a,
	RESTORE_STATE = 0x0b,
	DEF_CFA = 0x0c,
	DEF_CFA_REGISTER = 0x0d,
	DEF_CFA_OFFSET = 0x0e,
	DEF_CFA_EXPRESSION = 0x0f,
	EXPRESSION = 0x10,
	OFFSET_EXTENDED_SF = 0x11,
	DEF_CFA_SF = 0x12,
	DEF_CFA_OFFSET_SF = 0x13,
	VAL_OFFSET = 0x14,
	VAL_OFFSET_SF = 0x15,
	VAL_EXPRESSION = 0x16,
	GNU_ARGS_SIZE = 0x2e,
	GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

struct run {
	const struct ps_fde *fde;
	struct ps_bytes code;
	uintptr_t location;
	struct ps_cfi_row row;
	struct ps_cfi_row initial; /* as the CIE left it */
	struct ps_cfi_row saved[SAVED_MAX];
	uint32_t saved_count;
};

/* ---- columns ------------------------------------------------------------ */

static struct ps_cfi_column *
column_of(struct ps_cfi_row *row, uint64_t reg)
{
	if (reg == PS_REGISTER_PC)
		return &row->pc;
	return reg == PS_REGISTER_FP ? &row->fp : NULL;
}

static void
set_column(struct run *r, uint64_t reg, enum ps_cfi_kind kind, int64_t offset)
{
	struct ps_cfi_column *column = column_of(&r->row, reg);

	if (column == NULL)
		return;
	column->kind = kind;
	column->offset = offset;
}

static struct ps_bytes
take_block(struct run *r)
{
	uint64_t size = ps_bytes_uleb(&r->code);

	return ps_bytes_take(&r->code, size);
}

static void
set_expression(struct run *r, enum ps_cfi_kind kind)
{
	uint64_t reg = ps_bytes_uleb(&r->code);
	struct ps_bytes expression = take_block(r);
	struct ps_cfi_column *column = column_of(&r->row, reg);

	if (column == NULL)
		return;
	column->kind = kind;
	column->expression = expression;
}

static void
restore(struct run *r, uint64_t reg)
{
	struct ps_cfi_column *column = column_of(&r->row, reg);

	if (column != NULL)
		*column = *column_of(&r->initial, reg);
}

/* ---- operands ----------------------------------------------------------- */

/* Wraps around like an address. */
static int64_t
factored(const struct run *r, int64_t value)
{
	return (int64_t)((uint64_t)value * (uint64_t)r->fde->data_align);
}

static int64_t
factored_unsigned(struct run *r)
{
	return factored(r, (int64_t)ps_bytes_uleb(&r->code));
}

static int64_t
factored_signed(struct run *r)
{
	return factored(r, ps_bytes_sleb(&r->code));
}

static void
advance(struct run *r, uint64_t delta)
{
	r->location += delta * r->fde->code_align;
}

/* ---- instructions ------------------------------------------------------- */

static bool
run_location(struct run *r, uint8_t op)
{
	switch (op) {
	case NOP:
		return true;
	case SET_LOC:
		r->location = ps_bytes_pointer(&r->code, r->fde->encoding);
		return true;
	case ADVANCE_LOC1:
		advance(r, ps_bytes_unsigned(&r->code, 1));
		return true;
	case ADVANCE_LOC2:
		advance(r, ps_bytes_unsigned(&r->code, 2));
		return true;
	case ADVANCE_LOC4:
		advance(r, ps_bytes_unsigned(&r->code, 4));
		return true;
	case GNU_ARGS_SIZE: /* of no use without exceptions */
		(void)ps_bytes_uleb(&r->code);
		return true;
	default:
		return false;
	}
}

static bool
run_state(struct run *r, uint8_t op)
{
	switch (op) {
	case REMEMBER_STATE:
		if (r->saved_count == SAVED_MAX)
			return false;
		r->saved[r->saved_count++] = r->row;
		return true;
	case RESTORE_STATE:
		if (r->saved_count == 0)
			return false;
		r->row = r->saved[--r->saved_count];
		return true;
	default:
		return run_location(r, op);
	}
}

static void
define_cfa(struct run *r, bool is_signed)
{
	r->row.is_cfa_expression = false;
	r->row.cfa_register = ps_bytes_uleb(&r->code);
	r->row.cfa_offset =
	    is_signed ? factored_signed(r) : (int64_t)ps_bytes_uleb(&r->code);
}

static bool
run_cfa(struct run *r, uint8_t op)
{
	switch (op) {
	case DEF_CFA:
	case DEF_CFA_SF:
		define_cfa(r, op == DEF_CFA_SF);
		return true;
	case DEF_CFA_REGISTER:
		r->row.is_cfa_expression = false;
		r->row.cfa_register = ps_bytes_uleb(&r->code);
		return true;
	case DEF_CFA_OFFSET:
		r->row.cfa_offset = (int64_t)ps_bytes_uleb(&r->code);
		return true;
	case DEF_CFA_OFFSET_SF:
		r->row.cfa_offset = factored_signed(r);
		return true;
	case DEF_CFA_EXPRESSION:
		r->row.is_cfa_expression = true;
		r->row.cfa_expression = take_block(r);
		return true;
	default:
		return run_state(r, op);
	}
}

/* The operations whose first operand is a register. */
static bool
run_register(struct run *r, uint8_t op)
{
	uint64_t reg = ps_bytes_uleb(&r->code);

	switch (op) {
	case OFFSET_EXTENDED:
		set_column(r, reg, PS_CFI_AT_CFA, factored_unsigned(r));
		return true;
	case OFFSET_EXTENDED_SF:
		set_column(r, reg, PS_CFI_AT_CFA, factored_signed(r));
		return true;
	case GNU_NEGATIVE_OFFSET_EXTENDED:
		set_column(r, reg, PS_CFI_AT_CFA,
			   (int64_t)(0 - (uint64_t)factored_unsigned(r)));
		return true;
	case VAL_OFFSET:
	case VAL_OFFSET_SF:
	case REGISTER: /* none of them is followed */
		(void)ps_bytes_uleb(&r->code);
		set_column(r, reg, PS_CFI_VALUE, 0);
		return true;
	case UNDEFINED:
		set_column(r, reg, PS_CFI_UNDEFINED, 0);
		return true;
	case SAME_VALUE:
		set_column(r, reg, PS_CFI_SAME, 0);
		return true;
	default:
		restore(r, reg);
		return true;
	}
}

static bool
run_extended(struct run *r, uint8_t op)
{
	switch (op) {
	case OFFSET_EXTENDED:
	case OFFSET_EXTENDED_SF:
	case GNU_NEGATIVE_OFFSET_EXTENDED:
	case VAL_OFFSET:
	case VAL_OFFSET_SF:
	case REGISTER:
	case UNDEFINED:
	case SAME_VALUE:
	case RESTORE_EXTENDED:
		return run_register(r, op);
	case EXPRESSION:
		set_expression(r, PS_CFI_AT);
		return true;
	case VAL_EXPRESSION:
		set_expression(r, PS_CFI_VALUE);
		return true;
	default:
		return run_cfa(r, op);
	}
}

static bool
run_one(struct run *r)
{
	uint8_t op = ps_bytes_u8(&r->code);

	switch (op & PRIMARY) {
	case ADVANCE_LOC:
		advance(r, op & OPERAND);
		return true;
	case OFFSET:
		set_column(r, op & OPERAND, PS_CFI_AT_CFA,
			   factored_unsigned(r));
		return true;
	case RESTORE:
		restore(r, op & OPERAND);
		return true;
	default:
		return run_extended(r, op);
	}
}

/* Until the row of pc stands, or the instructions end. */
static bool
run_to(struct run *r, struct ps_bytes code, uintptr_t pc)
{
	r->code = code;
	while (r->code.at < r->code.end && r->location <= pc)
		if (!run_one(r))
			return false;
	return !r->code.is_spoilt;
}

bool
ps_unwind_cfi_row(const struct ps_fde *fde, uintptr_t pc,
		  struct ps_cfi_row *out)
{
	struct run r;

	r.fde = fde;
	r.location = 0;
	r.saved_count = 0;
	memset(&r.row, 0, sizeof(r.row));
	r.row.cfa_register = UINT64_MAX;
	r.initial = r.row;
	if (!run_to(&r, fde->common_code, UINTPTR_MAX))
		return false;
	r.initial = r.row;
	r.location = fde->start;
	if (!run_to(&r, fde->code, pc))
		return false;
	*out = r.row;
	return true;
}
