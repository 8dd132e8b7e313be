/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_expression - each operation of DWARF expressions, by hand
 */
#include <check.h>

#include "shim/unwind_expression.h"

#define SP PS_BASE_SP
#define FP PS_BASE_FP
#define NONE PS_BASE_NONE
#define CODE(bytes) bytes, sizeof(bytes) - 1

enum { AT_PC = 1000 };

static const struct {
	const char *code;
	size_t size;
	bool is_usable;
	struct ps_symbol value;
} expressions[] = {
#define NUMBER(n)                                                              \
	true,                                                                  \
	{                                                                      \
		n, 0, NONE, false                                              \
	}
#define WITH(base, n)                                                          \
	true,                                                                  \
	{                                                                      \
		n, 0, base, false                                              \
	}
#define WORD(base, at, n)                                                      \
	true,                                                                  \
	{                                                                      \
		n, at, base, true                                              \
	}
#define NOTHING                                                                \
	false,                                                                 \
	{                                                                      \
		0                                                              \
	}
    /* constants of each width: 254 or -2 */
    {CODE("\x08\xfe"), NUMBER(254)},
    {CODE("\x09\xfe"), NUMBER(-2)},
    {CODE("\x0a\xfe\x00"), NUMBER(254)},
    {CODE("\x0b\xfe\xff"), NUMBER(-2)},
    {CODE("\x0c\xfe\x00\x00\x00"), NUMBER(254)},
    {CODE("\x0d\xfe\xff\xff\xff"), NUMBER(-2)},
    {CODE("\x0e\xfe\x00\x00\x00\x00\x00\x00\x00"), NUMBER(254)},
    {CODE("\x0f\xfe\xff\xff\xff\xff\xff\xff\xff"), NUMBER(-2)},
    {CODE("\x10\xfe\x01"), NUMBER(254)},
    {CODE("\x11\x7e"), NUMBER(-2)},
    {CODE("\x03\xfe\x00\x00\x00\x00\x00\x00\x00"), NUMBER(254)},
    {CODE("\x30"), NUMBER(0)},
    {CODE("\x4f"), NUMBER(31)},
    {CODE("\x80\x7e"), NUMBER(AT_PC - 2)}, /* breg16 */
    {CODE("\x92\x10\x05"), NUMBER(AT_PC + 5)},
    /* the stack: 1 2 3, and then dup, drop, over, pick 2, swap, rot */
    {CODE("\x31\x32\x33\x12\x1e"), NUMBER(9)},
    {CODE("\x31\x32\x33\x13"), NUMBER(2)},
    {CODE("\x31\x32\x33\x14"), NUMBER(2)},
    {CODE("\x31\x32\x33\x15\x02"), NUMBER(1)},
    {CODE("\x31\x32\x33\x16"), NUMBER(2)},
    {CODE("\x31\x32\x33\x17"), NUMBER(2)},
    {CODE("\x31\x32\x33\x17\x13"), NUMBER(1)},
    {CODE("\x31\x32\x33\x17\x13\x13"), NUMBER(3)},
    /* abs neg not; 7 and 3: and or xor + - * / mod */
    {CODE("\x09\xfb\x19"), NUMBER(5)},
    {CODE("\x35\x19"), NUMBER(5)},
    {CODE("\x35\x1f"), NUMBER(-5)},
    {CODE("\x35\x20"), NUMBER(-6)},
    {CODE("\x37\x35\x1a"), NUMBER(5)},
    {CODE("\x37\x38\x21"), NUMBER(15)},
    {CODE("\x37\x35\x27"), NUMBER(2)},
    {CODE("\x37\x33\x22"), NUMBER(10)},
    {CODE("\x37\x33\x1c"), NUMBER(4)},
    {CODE("\x37\x33\x1e"), NUMBER(21)},
    {CODE("\x09\xf9\x33\x1b"), NUMBER(-2)},
    {CODE("\x37\x33\x1d"), NUMBER(1)},
    {CODE("\x37\x30\x1b"), NOTHING},
    {CODE("\x37\x30\x1d"), NOTHING},
    {CODE("\x31\x08\x3f\x24\x09\xff\x1b"), NUMBER(INT64_MIN)},
    /* shifts, some of them by more than there are bits */
    {CODE("\x31\x34\x24"), NUMBER(16)},
    {CODE("\x09\xf0\x34\x26"), NUMBER(-1)},
    {CODE("\x09\xff\x08\x3c\x25"), NUMBER(15)},
    {CODE("\x31\x08\x40\x24"), NUMBER(0)},
    {CODE("\x09\xff\x08\x40\x25"), NUMBER(0)},
    {CODE("\x09\xff\x08\xff\x26"), NUMBER(-1)},
    /* -1 and 1: eq ge gt le lt ne */
    {CODE("\x09\xff\x31\x29"), NUMBER(0)},
    {CODE("\x09\xff\x31\x2a"), NUMBER(0)},
    {CODE("\x09\xff\x31\x2b"), NUMBER(0)},
    {CODE("\x09\xff\x31\x2c"), NUMBER(1)},
    {CODE("\x09\xff\x31\x2d"), NUMBER(1)},
    {CODE("\x09\xff\x31\x2e"), NUMBER(1)},
    {CODE("\x31\x31\x2a"), NUMBER(1)},
    {CODE("\x31\x31\x2b"), NUMBER(0)},
    /* bra, taken and not; skip, also back, also for ever; out of bounds */
    {CODE("\x35\x31\x28\x01\x00\x20"), NUMBER(5)},
    {CODE("\x35\x30\x28\x01\x00\x20"), NUMBER(-6)},
    {CODE("\x35\x2f\x01\x00\x20\x96"), NUMBER(5)},
    {CODE("\x33\x31\x1c\x12\x28\xfa\xff"), NUMBER(0)}, /* 3, 2, 1, 0 */
    {CODE("\x35\x2f\xfd\xff"), NOTHING},
    {CODE("\x35\x2f\x01\x00"), NOTHING},
    {CODE("\x35\x2f\xfb\xff"), NOTHING},
    {CODE("\x35\x77\x00\x28\x01\x00\x20"), NOTHING},
    /* registers: rsp, rbp, no other; sums and differences with numbers */
    {CODE("\x77\x08"), WITH(SP, 8)},
    {CODE("\x92\x06\x78"), WITH(FP, -8)},
    {CODE("\x73\x00"), NOTHING},
    {CODE("\x77\x08\x32\x22"), WITH(SP, 10)},
    {CODE("\x32\x77\x08\x22"), WITH(SP, 10)},
    {CODE("\x77\x08\x32\x1c"), WITH(SP, 6)},
    {CODE("\x77\x08\x23\x28"), WITH(SP, 48)},
    {CODE("\x32\x77\x08\x1c"), NOTHING},
    {CODE("\x77\x08\x76\x08\x22"), NOTHING},
    {CODE("\x77\x08\x09\xf0\x1a"), NOTHING}, /* aligned: unknown */
    {CODE("\x77\x08\x1f"), NOTHING},
    {CODE("\x77\x08\x31\x2a"), NOTHING},
    /* words: of a register's place, no word's and no number's */
    {CODE("\x77\x08\x06"), WORD(SP, 8, 0)},
    {CODE("\x77\x08\x06\x23\x10"), WORD(SP, 8, 16)},
    {CODE("\x76\x70\x94\x08"), WORD(FP, -16, 0)},
    {CODE("\x76\x70\x94\x04"), NOTHING},
    {CODE("\x77\x08\x06\x06"), NOTHING},
    {CODE("\x35\x06"), NOTHING},
    {CODE("\x77\x80\x80\x80\x80\x08\x06"), NOTHING},
    /* too little on the stack, too much, nothing, unknown, cut off */
    {CODE("\x22"), NOTHING},
    {CODE("\x31\x22"), NOTHING},
    {CODE("\x31\x1a"), NOTHING},
    {CODE("\x06"), NOTHING},
    {CODE("\x12"), NOTHING},
    {CODE("\x31\x16"), NOTHING},
    {CODE("\x31\x32\x17"), NOTHING},
    {CODE("\x31\x15\x01"), NOTHING},
    {CODE("\x13"), NOTHING},
    {CODE("\x28\x00\x00"), NOTHING},
    {CODE("\x31\x13"), NOTHING},
    {CODE(""), NOTHING},
    {CODE("\x31\xff"), NOTHING},
    {CODE("\x31\x0a\x00"), NOTHING},
    {CODE("\x31\x23"), NOTHING},
    {CODE("\x31\x12\x2f\xfc\xff"), NOTHING}, /* dup for ever */
};

START_TEST(an_expression)
{
	const char *code = expressions[_i].code;
	struct ps_bytes bytes = ps_bytes_between(
	    (uintptr_t)code, (uintptr_t)code + expressions[_i].size);
	struct ps_symbol got = {0};

	ck_assert_int_eq(ps_unwind_evaluate(bytes, AT_PC, NULL, &got),
			 expressions[_i].is_usable);
	if (!expressions[_i].is_usable)
		return;
	ck_assert_int_eq(got.offset, expressions[_i].value.offset);
	ck_assert_int_eq(got.at, expressions[_i].value.at);
	ck_assert_int_eq(got.base, expressions[_i].value.base);
	ck_assert_int_eq(got.is_word, expressions[_i].value.is_word);
}
END_TEST

Suite *
unwind_expression_suite(void)
{
	Suite *s = suite_create("unwind_expression");
	TCase *t = tcase_create("expression");

	tcase_add_loop_test(t, an_expression, 0, (int)PS_COUNT(expressions));
	suite_add_tcase(s, t);
	return s;
}
