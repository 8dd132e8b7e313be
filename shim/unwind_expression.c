/* SPDX-License-Identifier: MIT */
/*
 * unwind_expression - DWARF expressions, without the registers they speak of
 *
 * A stack machine (DWARF 5, 2.5) over symbols: numbers are computed, a register
 * or the CFA may have numbers added and may be loaded from once.  That is
 * enough for all that linkers, compilers and the C library write: the CFA of
 * PLT entries, which depends on where in the entry pc is; frames whose CFA is
 * kept in memory; signal frames.  What has no such form, as an alignment of an
 * unknown stack pointer, is not usable.
 *
 * Never reads memory but the expression: a load from a known address is
 * refused, since what is there may change.  Branches go where they like, so the
 * steps are limited.
 */
#include "shim/unwind_expression.h"
#include "shim/unwind_cfi.h"

enum { DEPTH_MAX = 24, STEPS_MAX = 256, REACH = 1 << 30 };

enum {
	ADDR = 0x03,
	DEREF = 0x06,
	CONST1U = 0x08, /* to 0x0f: 1, 2, 4, 8 bytes, unsigned and signed */
	CONST8S = 0x0f,
	CONSTU = 0x10,
	CONSTS = 0x11,
	DUP = 0x12,
	DROP = 0x13,
	OVER = 0x14,
	PICK = 0x15,
	SWAP = 0x16,
	ROT = 0x17,
	ABS = 0x19,
	AND = 0x1a,
	DIV = 0x1b,
	MINUS = 0x1c,
	MOD = 0x1d,
	MUL = 0x1e,
	NEG = 0x1f,
	NOT = 0x20,
	OR = 0x21,
	PLUS = 0x22,
	PLUS_UCONST = 0x23,
	SHL = 0x24,
	SHR = 0x25,
	SHRA = 0x26,
	XOR = 0x27,
	BRA = 0x28,
	EQ = 0x29,
	GE = 0x2a,
	GT = 0x2b,
	LE = 0x2c,
	LT = 0x2d,
	NE = 0x2e,
	SKIP = 0x2f,
	LIT0 = 0x30,
	LIT31 = 0x4f,
	BREG0 = 0x70,
	BREG31 = 0x8f,
	BREGX = 0x92,
	DEREF_SIZE = 0x94,
	NOP = 0x96,
};

struct machine {
	struct ps_bytes code;
	const uint8_t *low; /* of the code */
	uintptr_t pc;
	uint32_t depth;
	struct ps_symbol stack[DEPTH_MAX];
};

/* ---- the stack ---------------------------------------------------------- */

static bool
push(struct machine *m, struct ps_symbol value)
{
	if (m->depth == DEPTH_MAX)
		return false;
	m->stack[m->depth++] = value;
	return true;
}

static bool
push_number(struct machine *m, int64_t number)
{
	return push(m, (struct ps_symbol){number, 0, PS_BASE_NONE, false});
}

/* The i-th from the top, which is the 0th. */
static bool
push_copy(struct machine *m, uint32_t i)
{
	return i < m->depth && push(m, m->stack[m->depth - 1 - i]);
}

/* The top one goes below the `count` - 1 others. */
static bool
rotate(struct machine *m, uint32_t count)
{
	struct ps_symbol *top;
	struct ps_symbol moved;

	if (m->depth < count)
		return false;
	top = &m->stack[m->depth - 1];
	moved = *top;
	for (uint32_t i = 1; i < count; i++, top--)
		*top = top[-1];
	*top = moved;
	return true;
}

static bool
drop(struct machine *m)
{
	if (m->depth == 0)
		return false;
	m->depth--;
	return true;
}

static struct ps_symbol *
top_of(struct machine *m)
{
	return m->depth == 0 ? NULL : &m->stack[m->depth - 1];
}

static bool
is_number(const struct ps_symbol *s)
{
	return s->base == PS_BASE_NONE && !s->is_word;
}

/* ---- operations --------------------------------------------------------- */

static int64_t
sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static bool
push_register(struct machine *m, uint64_t reg, int64_t offset)
{
	switch (reg) {
	case PS_REGISTER_FP:
		return push(m,
			    (struct ps_symbol){offset, 0, PS_BASE_FP, false});
	case PS_REGISTER_SP:
		return push(m,
			    (struct ps_symbol){offset, 0, PS_BASE_SP, false});
	case PS_REGISTER_PC:
		return push_number(m, sum((int64_t)m->pc, offset));
	default:
		return false;
	}
}

static bool
load(struct machine *m)
{
	struct ps_symbol *top = top_of(m);

	if (top == NULL || top->base == PS_BASE_NONE || top->is_word ||
	    top->offset <= -REACH || top->offset >= REACH)
		return false;
	top->at = (int32_t)top->offset;
	top->offset = 0;
	top->is_word = true;
	return true;
}

static bool
plus(struct machine *m)
{
	struct ps_symbol *a;
	struct ps_symbol b;

	if (m->depth < 2)
		return false;
	b = m->stack[--m->depth];
	a = top_of(m);
	if (is_number(a)) { /* what is unknown stays */
		b.offset = sum(b.offset, a->offset);
		*a = b;
		return true;
	}
	a->offset = sum(a->offset, b.offset);
	return is_number(&b);
}

static bool
plus_number(struct machine *m, int64_t number)
{
	return push_number(m, number) && plus(m);
}

static bool
minus(struct machine *m)
{
	struct ps_symbol *top = top_of(m);

	if (top == NULL || !is_number(top))
		return false;
	top->offset = (int64_t)(0 - (uint64_t)top->offset);
	return plus(m);
}

/* Signed where DWARF wants it: division, comparisons, shra. */
static int64_t
compare(uint8_t op, int64_t a, int64_t b)
{
	switch (op) {
	case EQ:
		return a == b;
	case GE:
		return a >= b;
	case GT:
		return a > b;
	case LE:
		return a <= b;
	case LT:
		return a < b;
	default:
		return a != b;
	}
}

/* A shift by more than the width leaves what it shifts in. */
static int64_t
shift(uint8_t op, int64_t a, uint64_t by)
{
	if (op == SHRA)
		return a >> PS_MIN(by, (uint64_t)63);
	if (by > 63)
		return 0;
	return (int64_t)(op == SHL ? (uint64_t)a << by : (uint64_t)a >> by);
}

static bool
divide(uint8_t op, int64_t *a, int64_t b)
{
	if (b == 0)
		return false;
	if (op == MOD)
		*a = (int64_t)((uint64_t)*a % (uint64_t)b);
	else if (b == -1) /* INT64_MIN / -1 traps */
		*a = (int64_t)(0 - (uint64_t)*a);
	else
		*a /= b;
	return true;
}

/* Two numbers, of which no register is a part. */
static bool
combine(struct machine *m, uint8_t op)
{
	int64_t *a;
	int64_t b;

	if (m->depth < 2 || !is_number(top_of(m)) || !is_number(top_of(m) - 1))
		return false;
	b = m->stack[--m->depth].offset;
	a = &top_of(m)->offset;
	switch (op) {
	case AND:
		*a &= b;
		return true;
	case OR:
		*a |= b;
		return true;
	case XOR:
		*a ^= b;
		return true;
	case MUL:
		*a = (int64_t)((uint64_t)*a * (uint64_t)b);
		return true;
	case DIV:
	case MOD:
		return divide(op, a, b);
	case SHL:
	case SHR:
	case SHRA:
		*a = shift(op, *a, (uint64_t)b);
		return true;
	default:
		*a = compare(op, *a, b);
		return true;
	}
}

static bool
change(struct machine *m, uint8_t op)
{
	struct ps_symbol *top = top_of(m);

	if (top == NULL || !is_number(top))
		return false;
	if (op == NOT)
		top->offset = ~top->offset;
	else if (op == NEG || top->offset < 0)
		top->offset = (int64_t)(0 - (uint64_t)top->offset);
	return true;
}

static bool
branch(struct machine *m, uint8_t op)
{
	int64_t by = ps_bytes_signed(&m->code, 2);

	if (op == BRA) {
		if (m->depth == 0 || !is_number(top_of(m)))
			return false;
		if (m->stack[--m->depth].offset == 0)
			return true;
	}
	ps_bytes_skip(&m->code, by, m->low);
	return true;
}

/* ---- the machine -------------------------------------------------------- */

static bool
run_constant(struct machine *m, uint8_t op)
{
	size_t size = (size_t)1 << (op - CONST1U) / 2;

	if (op == CONSTU)
		return push_number(m, (int64_t)ps_bytes_uleb(&m->code));
	if (op == CONSTS)
		return push_number(m, ps_bytes_sleb(&m->code));
	if ((op - CONST1U) % 2 != 0)
		return push_number(m, ps_bytes_signed(&m->code, size));
	return push_number(m, (int64_t)ps_bytes_unsigned(&m->code, size));
}

static bool
run_stack(struct machine *m, uint8_t op)
{
	switch (op) {
	case DUP:
		return push_copy(m, 0);
	case DROP:
		return drop(m);
	case OVER:
		return push_copy(m, 1);
	case PICK:
		return push_copy(m, ps_bytes_u8(&m->code));
	case SWAP:
		return rotate(m, 2);
	case ROT:
		return rotate(m, 3);
	default:
		return false;
	}
}

static bool
run_other(struct machine *m, uint8_t op)
{
	switch (op) {
	case ADDR:
		return push_number(m, (int64_t)ps_bytes_unsigned(&m->code, 8));
	case DEREF:
		return load(m);
	case DEREF_SIZE:
		return ps_bytes_u8(&m->code) == sizeof(uintptr_t) && load(m);
	case PLUS:
		return plus(m);
	case PLUS_UCONST:
		return plus_number(m, (int64_t)ps_bytes_uleb(&m->code));
	case MINUS:
		return minus(m);
	case ABS:
	case NEG:
	case NOT:
		return change(m, op);
	case BRA:
	case SKIP:
		return branch(m, op);
	case NOP:
		return true;
	default:
		return op >= AND && op <= NE && combine(m, op);
	}
}

static bool
run_one(struct machine *m)
{
	uint8_t op = ps_bytes_u8(&m->code);
	uint64_t reg = op - BREG0;

	if (op >= LIT0 && op <= LIT31)
		return push_number(m, op - LIT0);
	if (op >= CONST1U && op <= CONSTS)
		return run_constant(m, op);
	if (op >= DUP && op <= ROT)
		return run_stack(m, op);
	if (op != BREGX && (op < BREG0 || op > BREG31))
		return run_other(m, op);
	if (op == BREGX)
		reg = ps_bytes_uleb(&m->code);
	return push_register(m, reg, ps_bytes_sleb(&m->code));
}

bool
ps_unwind_evaluate(struct ps_bytes code, uintptr_t pc,
		   const struct ps_symbol *first, struct ps_symbol *out)
{
	struct machine m;

	m.code = code;
	m.low = code.at;
	m.pc = pc;
	m.depth = 0;
	if (first != NULL)
		(void)push(&m, *first);
	for (int steps = 0; m.code.at < m.code.end; steps++)
		if (steps == STEPS_MAX || !run_one(&m))
			return false;
	if (m.code.is_spoilt || m.depth == 0)
		return false;
	*out = *top_of(&m);
	return true;
}
