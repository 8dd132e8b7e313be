/* SPDX-License-Identifier: MIT */
/*
 * unwind_decode - what the unwind tables say about one address, as a rule
 *
 * Three steps: the function's entry in the tables (unwind_table), its
 * instructions up to the address (unwind_cfi), and here the row that they
 * leave, brought into the form of a rule.  Whoever cannot be told from the
 * stack pointer, rbp and words of the stack, as a CFA in another register, has
 * no rule.
 *
 * Written for a malloc that may be anywhere: it takes no lock, calls nothing of
 * the system and nothing of the C library's but _dl_find_object, has no state
 * and little stack, and reads nothing but the tables.  libunwind, which was in
 * its place, did worse on each of these, and took sixteen times as long
 * (bench_stack); the tests hold every rule against it (test_unwind_oracle).
 */
#include "shim/unwind_decode.h"
#include "shim/unwind_cfi.h"
#include "shim/unwind_expression.h"

enum { REACH = 1 << 30 }; /* of offsets, for sums that cannot overflow */

static bool
fit(int64_t offset, int32_t *out)
{
	if (offset <= -REACH || offset >= REACH)
		return false;
	*out = (int32_t)offset;
	return true;
}

static bool
find_cfa(const struct ps_cfi_row *row, uintptr_t pc, struct ps_symbol *out)
{
	if (row->is_cfa_expression)
		return ps_unwind_evaluate(row->cfa_expression, pc, NULL, out);
	*out = (struct ps_symbol){.offset = row->cfa_offset};
	out->base =
	    row->cfa_register == PS_REGISTER_SP ? PS_BASE_SP : PS_BASE_FP;
	return row->cfa_register == PS_REGISTER_SP ||
	       row->cfa_register == PS_REGISTER_FP;
}

static bool
set_cfa(const struct ps_symbol *cfa, struct ps_rule *out)
{
	out->cfa_base = cfa->base;
	if (!cfa->is_word)
		return cfa->base != PS_BASE_NONE &&
		       fit(cfa->offset, &out->cfa_offset);
	out->flags |= PS_RULE_CFA_LOADED;
	out->cfa_offset = cfa->at;
	return cfa->offset == 0;
}

/*
 * Where a register is kept: relative to the CFA where that is known to be so,
 * that the walker has one form for nearly all frames.
 */
static bool
set_place(const struct ps_cfi_column *column, uintptr_t pc,
	  const struct ps_symbol *cfa, uint8_t *base, int32_t *offset)
{
	struct ps_symbol first = *cfa;
	struct ps_symbol place;

	*base = PS_BASE_CFA;
	if (column->kind == PS_CFI_AT_CFA)
		return fit(column->offset, offset);
	if (cfa->is_word)
		first = (struct ps_symbol){.base = PS_BASE_CFA};
	if (column->kind != PS_CFI_AT ||
	    !ps_unwind_evaluate(column->expression, pc, &first, &place) ||
	    place.base == PS_BASE_NONE || place.is_word)
		return false;
	if (!cfa->is_word && place.base == cfa->base)
		place.offset -= cfa->offset;
	else
		*base = place.base;
	return fit(place.offset, offset);
}

static bool
set_fp(const struct ps_cfi_row *row, uintptr_t pc, const struct ps_symbol *cfa,
       struct ps_rule *out)
{
	if (row->fp.kind == PS_CFI_SAME) {
		out->fp_base = PS_BASE_NONE;
		return true;
	}
	return set_place(&row->fp, pc, cfa, &out->fp_base, &out->fp_offset);
}

static bool
read_row(const struct ps_cfi_row *row, uintptr_t pc, struct ps_rule *out)
{
	struct ps_symbol cfa;

	if (!find_cfa(row, pc, &cfa) || !set_cfa(&cfa, out))
		return false;
	return set_place(&row->pc, pc, &cfa, &out->pc_base, &out->pc_offset) &&
	       set_fp(row, pc, &cfa, out);
}

void
ps_unwind_decode_in(const struct ps_unwind_module *module, uintptr_t pc,
		    struct ps_rule *out)
{
	struct ps_cfi_row row;
	struct ps_fde fde;

	memset(out, 0, sizeof(*out));
	if (ps_unwind_find_fde(module, pc, &fde) &&
	    fde.return_column == PS_REGISTER_PC &&
	    ps_unwind_cfi_row(&fde, pc, &row)) {
		if (row.pc.kind == PS_CFI_UNDEFINED) {
			out->flags = PS_RULE_END;
			return;
		}
		out->flags = fde.is_signal ? PS_RULE_SIGNAL : 0;
		if (read_row(&row, pc, out))
			return;
	}
	memset(out, 0, sizeof(*out));
	out->flags = PS_RULE_STOP;
}

void
ps_unwind_decode(uintptr_t pc, bool is_exact, struct ps_rule *out)
{
	struct ps_unwind_module module;
	uintptr_t at = is_exact ? pc : pc - 1;

	memset(out, 0, sizeof(*out));
	out->flags = PS_RULE_STOP;
	if (ps_unwind_find_module(at, &module))
		ps_unwind_decode_in(&module, at, out);
}
