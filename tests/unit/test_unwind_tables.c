/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_tables - each instruction of the unwind tables, and tables that
 * are damaged
 *
 * Tables are built here of a few bytes, and the rule that is expected of them
 * was worked out by hand; what is well-formed is put to libunwind, too.
 */
#include <check.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/unwind_bytes.h"
#include "unwind_oracle.h"
#include "unwind_trace.h"

enum { PAGE = 4096 };

/* ---- bytes -------------------------------------------------------------- */

static struct ps_bytes
reader(const void *bytes, size_t size)
{
	return ps_bytes_between((uintptr_t)bytes, (uintptr_t)bytes + size);
}

/* The examples of DWARF 5, figures 22 and 23, and the widest ones. */
static const struct {
	const char *bytes;
	uint64_t is_unsigned;
	int64_t is_signed;
} lebs[] = {
    {"\x02", 2, 2},
    {"\x7f", 127, -1},
    {"\x80\x01", 128, 128},
    {"\xff\x00", 127, 127},
    {"\x80\x7f", 0x3f80, -128},
    {"\xb9\x64", 12857, -3527},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX, -1},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", UINT64_C(1) << 63, INT64_MIN},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x05", 0, 0}, /* bits are lost */
};

START_TEST(leb128)
{
	size_t size = 1;

	while ((lebs[_i].bytes[size - 1] & 0x80) != 0)
		size++;
	for (size_t less = 0; less <= size; less++) {
		struct ps_bytes u = reader(lebs[_i].bytes, size - less);
		struct ps_bytes s = u;
		uint64_t is_unsigned = ps_bytes_uleb(&u);
		int64_t is_signed = ps_bytes_sleb(&s);

		ck_assert_int_eq(u.is_spoilt, less > 0);
		ck_assert_int_eq(s.is_spoilt, less > 0);
		ck_assert_ptr_eq(u.at, u.end);
		if (less > 0)
			continue;
		ck_assert_uint_eq(is_unsigned, lebs[_i].is_unsigned);
		ck_assert_int_eq(is_signed, lebs[_i].is_signed);
	}
}
END_TEST

START_TEST(what_is_not_there_reads_as_zero_and_spoils)
{
	static const char bytes[8] = "\x81\xff\xff\xff\xff\xff\xff\xff";

	for (size_t size = 1; size <= sizeof(bytes); size *= 2) {
		struct ps_bytes b = reader(bytes, size);

		ck_assert_int_ge(ps_bytes_signed(&b, size), -127);
		ck_assert(!b.is_spoilt);
		ck_assert_uint_eq(ps_bytes_unsigned(&b, 1), 0);
		ck_assert(b.is_spoilt);
		ck_assert_uint_eq(ps_bytes_left(&b), 0);
		b = reader(bytes, size - 1);
		ck_assert_uint_eq(ps_bytes_unsigned(&b, size), 0);
		ck_assert(ps_bytes_take(&b, 0).is_spoilt);
	}
	ck_assert(reader(bytes, (size_t)-1).is_spoilt);
}
END_TEST

START_TEST(pointers)
{
	static const uint8_t bytes[8] = {0xfe, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0x7f};
	static const struct {
		uint8_t encoding;
		uint64_t value; /* less where it stands */
		bool is_known;
	} of[] = {
	    {0x00, UINT64_C(0x7ffffffffffffffe), true},
	    {0x02, 0xfffe, true},
	    {0x03, 0xfffffffe, true},
	    {0x0a, (uint64_t)-2, true},
	    {0x1b, (uint64_t)-2, true},
	    {0x1c, UINT64_C(0x7ffffffffffffffe), true},
	    {0x3b, 0, false}, /* relative to what is not known */
	    {0x9b, 0, false}, /* to a pointer */
	    {0x01, 0, false},
	    {0x50, 0, false},
	    {0xff, 0, false},
	};

	for (size_t i = 0; i < PS_COUNT(of); i++) {
		struct ps_bytes b = reader(bytes, sizeof(bytes));
		uint64_t value = ps_bytes_pointer(&b, of[i].encoding);

		if ((of[i].encoding & 0x70) == 0x10)
			value -= (uint64_t)(uintptr_t)bytes;
		ck_assert_int_eq(!b.is_spoilt, of[i].is_known);
		if (of[i].is_known)
			ck_assert_uint_eq(value, of[i].value);
	}
}
END_TEST

/* ---- instructions ------------------------------------------------------- */

enum { CIE_AT = 64, FDE_AT = 512, CODE_AT = 2048, CODE_BYTES = 64, MOST = 128 };

static uint8_t *tables; /* a page between two that cannot be read */

static void
map_tables(void)
{
	char *map =
	    mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	tables = (uint8_t *)map + PAGE;
	trace_setup();
}

static void
put_word(size_t at, uint32_t word)
{
	memcpy(tables + at, &word, sizeof(word));
}

/* `size` bytes of an entry at `at`, the rest of MOST made nops. */
static void
put_entry(size_t at, const char *bytes, size_t size, const char *code,
	  size_t code_size)
{
	ck_assert_uint_le(4 + size + code_size, MOST);
	memset(tables + at, 0, MOST);
	put_word(at, MOST - 4);
	memcpy(tables + at + 4, bytes, size);
	memcpy(tables + at + 4 + size, code, code_size);
}

static struct ps_unwind_module
build(const char *augmentation, const char *code, size_t size)
{
	static const char common[] = "\x0c\x07\x08\x90\x01"; /* the usual */
	char cie[32] = "\0\0\0\0\x01";
	char *end = stpcpy(cie + 5, augmentation) + 1;

	memcpy(end, "\x01\x78\x10\x01\x1b", 5);
	put_word(0, 0x3b031b01);
	put_word(4, 0);
	put_word(8, 1);
	put_word(12, CODE_AT);
	put_word(16, FDE_AT);
	put_entry(CIE_AT, cie, (size_t)(end + 5 - cie), common, 5);
	put_entry(FDE_AT, "\0\0\0\0\0\0\0\0\0\0\0\0\0", 13, code, size);
	put_word(FDE_AT + 4, FDE_AT + 4 - CIE_AT);
	put_word(FDE_AT + 8, CODE_AT - (FDE_AT + 8));
	put_word(FDE_AT + 12, CODE_BYTES);
	return (struct ps_unwind_module){
	    .start = (uintptr_t)tables,
	    .end = (uintptr_t)tables + PAGE,
	    .path = "built",
	    .eh_frame_hdr = tables,
	};
}

#define SP PS_BASE_SP
#define FP PS_BASE_FP
#define CFA PS_BASE_CFA
#define NONE PS_BASE_NONE
#define LOADED PS_RULE_CFA_LOADED
#define CODE(bytes) bytes, sizeof(bytes) - 1
/* in struct ps_rule's order */
#define RULE(cfa, cfa_offset, pc, pc_offset, fp, fp_offset, flags)             \
	{                                                                      \
		cfa_offset, pc_offset, fp_offset, cfa, pc, fp, flags           \
	}
#define USUAL RULE(SP, 8, CFA, -8, NONE, 0, 0)
#define STOP RULE(0, 0, 0, 0, 0, 0, PS_RULE_STOP)
#define END_OF_STACK RULE(0, 0, 0, 0, 0, 0, PS_RULE_END)

static const struct {
	const char *code;
	size_t size;
	uint32_t at;		   /* in the function */
	enum { BOTH, OURS } whose; /* libunwind takes it, too */
	struct ps_rule rule;
} instructions[] = {
    {CODE(""), 0, BOTH, USUAL},
    {CODE("\x00\x00"), 63, BOTH, USUAL},
    /* advance_loc, _loc1, _loc2, _loc4: def_cfa_offset behind each */
    {CODE("\x41\x0e\x10"), 0, BOTH, USUAL},
    {CODE("\x41\x0e\x10"), 1, BOTH, RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x02\x05\x0e\x10"), 4, BOTH, USUAL},
    {CODE("\x02\x05\x0e\x10"), 5, BOTH, RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x03\x05\x00\x0e\x10"), 4, BOTH, USUAL},
    {CODE("\x03\x05\x00\x0e\x10"), 5, BOTH, RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x04\x05\x00\x00\x00\x0e\x10"), 4, BOTH, USUAL},
    {CODE("\x04\x05\x00\x00\x00\x0e\x10"), 5, BOTH,
     RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x41\x0e\x10\x41\x0e\x18"), 1, BOTH,
     RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x41\x0e\x10\x41\x0e\x18"), 2, BOTH,
     RULE(SP, 24, CFA, -8, NONE, 0, 0)},
    /* set_loc: to 5 bytes behind the function's start */
    {CODE("\x01\xf3\x05\x00\x00\x0e\x10"), 4, BOTH, USUAL},
    {CODE("\x01\xf3\x05\x00\x00\x0e\x10"), 5, BOTH,
     RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    /* def_cfa, _register, _offset, _sf, _offset_sf */
    {CODE("\x0c\x06\x20"), 0, BOTH, RULE(FP, 32, CFA, -8, NONE, 0, 0)},
    {CODE("\x0d\x06"), 0, BOTH, RULE(FP, 8, CFA, -8, NONE, 0, 0)},
    {CODE("\x12\x06\x7e"), 0, BOTH, RULE(FP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x13\x7d"), 0, BOTH, RULE(SP, 24, CFA, -8, NONE, 0, 0)},
    {CODE("\x0d\x03"), 0, BOTH, STOP}, /* of rbx: not followed */
    {CODE("\x0d\x11"), 0, BOTH, STOP},
    {CODE("\x0c\x07\x80\x80\x80\x80\x08"), 0, OURS, STOP}, /* 2^31 */
    /* rbp: offset, _extended, _extended_sf, GNU_negative_offset_extended */
    {CODE("\x86\x02"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, -16, 0)},
    {CODE("\x05\x06\x02"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, -16, 0)},
    {CODE("\x11\x06\x03"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, -24, 0)},
    {CODE("\x11\x06\x7d"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, 24, 0)},
    {CODE("\x2f\x06\x02"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, 16, 0)},
    {CODE("\x86\x02\x83\x03\x8c\x04\x8f\x07"), 0, BOTH,
     RULE(SP, 8, CFA, -8, CFA, -16, 0)}, /* others are passed over */
    /* the return address elsewhere, in rdi, nowhere */
    {CODE("\x90\x03"), 0, BOTH, RULE(SP, 8, CFA, -24, NONE, 0, 0)},
    {CODE("\x09\x10\x05"), 0, BOTH, STOP},
    {CODE("\x08\x10"), 0, BOTH, STOP},
    {CODE("\x07\x10"), 0, BOTH, END_OF_STACK},
    /* rbp nowhere: for libunwind, that is the end */
    {CODE("\x07\x06"), 0, OURS, STOP},
    {CODE("\x09\x06\x03"), 0, BOTH, STOP},
    {CODE("\x86\x02\x08\x06"), 0, BOTH, USUAL},
    /* restore, restore_extended */
    {CODE("\x90\x03\xd0"), 0, BOTH, USUAL},
    {CODE("\x07\x10\x06\x10"), 0, BOTH, USUAL},
    {CODE("\x86\x02\xc6"), 0, BOTH, USUAL},
    {CODE("\x86\x02\xc3"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, -16, 0)},
    /* remember_state, restore_state; of the CFA, too; one in another */
    {CODE("\x0a\x0c\x06\x10\x86\x02\x41\x0b"), 0, BOTH,
     RULE(FP, 16, CFA, -8, CFA, -16, 0)},
    {CODE("\x0a\x0c\x06\x10\x86\x02\x41\x0b"), 1, BOTH, USUAL},
    {CODE("\x0a\x0e\x10\x0a\x0e\x18\x41\x0b\x41\x0b"), 0, BOTH,
     RULE(SP, 24, CFA, -8, NONE, 0, 0)},
    {CODE("\x0a\x0e\x10\x0a\x0e\x18\x41\x0b\x41\x0b"), 1, BOTH,
     RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x0a\x0e\x10\x0a\x0e\x18\x41\x0b\x41\x0b"), 2, BOTH, USUAL},
    {CODE("\x0b"), 0, OURS, STOP},
    {CODE("\x0a\x0a\x0a\x0a\x0b\x0b\x0b\x0b"), 0, BOTH, USUAL},
    {CODE("\x0a\x0a\x0a\x0a\x0a\x0b\x0b\x0b\x0b\x0b"), 0, OURS, STOP},
    /* def_cfa_expression: rsp + 16; the word at rbp - 8; that and 8 more */
    {CODE("\x0f\x02\x77\x10"), 0, BOTH, RULE(SP, 16, CFA, -8, NONE, 0, 0)},
    {CODE("\x0f\x03\x76\x78\x06"), 0, BOTH,
     RULE(FP, -8, CFA, -8, NONE, 0, LOADED)},
    {CODE("\x0f\x05\x76\x78\x06\x23\x08"), 0, BOTH, STOP},
    {CODE("\x0f\x01\x33"), 0, OURS, STOP},
    {CODE("\x0f\x02\x77\x10\x0d\x06"), 0, BOTH,
     RULE(FP, 8, CFA, -8, NONE, 0, 0)},
    /* expression: of rbp at rbp, at the CFA + 8; of the return address */
    {CODE("\x0c\x07\x10\x10\x06\x02\x76\x00"), 0, BOTH,
     RULE(SP, 16, CFA, -8, FP, 0, 0)},
    {CODE("\x10\x06\x02\x23\x08"), 0, BOTH, RULE(SP, 8, CFA, -8, CFA, 8, 0)},
    {CODE("\x0f\x03\x76\x78\x06\x10\x06\x02\x76\x00"), 0, BOTH,
     RULE(FP, -8, CFA, -8, FP, 0, LOADED)},
    {CODE("\x10\x10\x03\x77\xa8\x01"), 0, BOTH,
     RULE(SP, 8, CFA, 160, NONE, 0, 0)},
    /* val_expression, val_offset, val_offset_sf: values, not places */
    {CODE("\x16\x06\x02\x76\x08"), 0, BOTH, STOP},
    {CODE("\x14\x06\x02"), 0, OURS, STOP},
    {CODE("\x15\x06\x7e"), 0, OURS, STOP},
    {CODE("\x16\x03\x02\x76\x08"), 0, BOTH, USUAL},
    /* GNU_args_size; what there is not; what is cut off */
    {CODE("\x2e\x20"), 0, BOTH, USUAL},
    {CODE("\x3f"), 0, OURS, STOP},
    {CODE("\x41\x3f"), 0, BOTH, USUAL},
    {CODE("\x0f\x7f\x77\x10"), 0, OURS, STOP},
    {CODE("\x2e\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), 0,
     OURS, USUAL}, /* zeros without end, and then a nop */
};

static void
assert_rule(const struct ps_rule *got, const struct ps_rule *wanted,
	    const char *whose)
{
	ck_assert_msg(memcmp(got, wanted, sizeof(*got)) == 0,
		      "%s: cfa %d%+d pc %d%+d fp %d%+d flags %d", whose,
		      got->cfa_base, got->cfa_offset, got->pc_base,
		      got->pc_offset, got->fp_base, got->fp_offset, got->flags);
}

START_TEST(an_instruction)
{
	struct ps_unwind_module module =
	    build("zR", instructions[_i].code, instructions[_i].size);
	uintptr_t pc = (uintptr_t)tables + CODE_AT + instructions[_i].at;
	struct ps_rule got;

	ps_unwind_decode_in(&module, pc, &got);
	assert_rule(&got, &instructions[_i].rule, "ours");
	if (instructions[_i].whose == OURS)
		return;
	unwind_oracle(&module, pc, &got);
	assert_rule(&got, &instructions[_i].rule, "libunwind's");
}
END_TEST

/* As the linker makes it: the CFA is 8 more from byte 11 of 16 on. */
START_TEST(the_entries_of_a_plt)
{
	struct ps_unwind_module module = build(
	    "zR", CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"));

	for (uint32_t at = 0; at < CODE_BYTES; at++) {
		uintptr_t pc = (uintptr_t)tables + CODE_AT + at;
		const struct ps_rule wanted =
		    RULE(SP, at % 16 >= 11 ? 16 : 8, CFA, -8, NONE, 0, 0);
		struct ps_rule got;

		ps_unwind_decode_in(&module, pc, &got);
		assert_rule(&got, &wanted, "ours");
		unwind_oracle(&module, pc, &got);
		assert_rule(&got, &wanted, "libunwind's");
	}
}
END_TEST

/* Only the frame that was interrupted is marked, by the CIE's S. */
START_TEST(a_signal_s_frame)
{
	const struct ps_rule wanted =
	    RULE(SP, 160, SP, 168, SP, 120, LOADED | PS_RULE_SIGNAL);
	static const char code[] = "\x0f\x04\x77\xa0\x01\x06"
				   "\x10\x10\x03\x77\xa8\x01"
				   "\x10\x06\x03\x77\xf8\x00";
	struct ps_unwind_module module = build("zRS", CODE(code));
	struct ps_rule got;

	ps_unwind_decode_in(&module, (uintptr_t)tables + CODE_AT, &got);
	assert_rule(&got, &wanted, "ours");
	unwind_oracle(&module, (uintptr_t)tables + CODE_AT, &got);
	assert_rule(&got, &wanted, "libunwind's");
	module = build("zR", CODE(code));
	ps_unwind_decode_in(&module, (uintptr_t)tables + CODE_AT, &got);
	ck_assert_int_eq(got.flags, LOADED);
}
END_TEST

/* ---- tables that are none ----------------------------------------------- */

static const struct {
	size_t at;
	uint8_t byte;
} spoilers[] = {
    {0, 2},		 /* the header's version */
    {2, 0x02},		 /* how the count is written */
    {3, 0x1b},		 /* and the table */
    {8, 0},		 /* no functions */
    {11, 0x80},		 /* more than there is room for */
    {13, 0x09},		 /* the function begins behind the address */
    {18, 0x7f},		 /* its entry is somewhere else */
    {19, 0x80},		 /* before all */
    {FDE_AT + 1, 0x20},	 /* the entry is longer than there is room for */
    {FDE_AT, 8},	 /* it ends before it is complete */
    {FDE_AT + 5, 0x7f},	 /* its common entry lies before all */
    {FDE_AT + 4, 0},	 /* or is none */
    {FDE_AT + 9, 0x08},	 /* it is about other addresses */
    {FDE_AT + 12, 0},	 /* or about none */
    {FDE_AT + 16, 0x7f}, /* its augmentation does not end */
    {CIE_AT + 4, 1},	 /* no common entry */
    {CIE_AT + 8, 2},	 /* of a version that there is not */
    {CIE_AT + 10, 'x'},	 /* with something unknown */
    {CIE_AT + 11, 'x'},	 /* more of it */
    {CIE_AT + 14, 0x06}, /* the return address is in rbp's column */
    {CIE_AT + 15, 0x7f}, /* its augmentation does not end */
    {CIE_AT + 16, 0x3b}, /* pointers relative to what is not known */
    {CIE_AT + 17, 0x3f}, /* an instruction that there is not */
};

START_TEST(what_is_no_table_has_no_rule)
{
	struct ps_unwind_module module = build("zR", CODE(""));
	const struct ps_rule usual = USUAL;
	const struct ps_rule stop = STOP;
	struct ps_rule got;

	ps_unwind_decode_in(&module, (uintptr_t)tables + CODE_AT + 1, &got);
	assert_rule(&got, &usual, "unspoilt");
	tables[spoilers[_i].at] = spoilers[_i].byte;
	ps_unwind_decode_in(&module, (uintptr_t)tables + CODE_AT + 1, &got);
	assert_rule(&got, &stop, "spoilt");
}
END_TEST

START_TEST(a_module_too_small_for_its_tables)
{
	struct ps_unwind_module module = build("zR", CODE(""));
	const struct ps_rule stop = STOP;
	uintptr_t pc = (uintptr_t)tables + CODE_AT;
	struct ps_rule got;

	for (size_t size = 0; size < FDE_AT + MOST; size++) {
		memmove(tables + PAGE - size, tables, size);
		module.start = (uintptr_t)tables + PAGE - size;
		module.eh_frame_hdr = (const void *)module.start;
		ps_unwind_decode_in(
		    &module, pc - (uintptr_t)tables + module.start, &got);
		assert_rule(&got, &stop, "ours");
		(void)build("zR", CODE(""));
	}
	module.eh_frame_hdr = NULL;
	ps_unwind_decode_in(&module, pc, &got);
	assert_rule(&got, &stop, "without");
}
END_TEST

/* ---- damage ------------------------------------------------------------- */

/* The C library's tables, up to the page behind that cannot be read. */
static struct ps_unwind_module
copy_tables(uint8_t **copy, size_t *size)
{
	struct ps_unwind_module module;
	struct ps_segment segment;
	uint8_t *map;
	size_t room;

	ck_assert(
	    ps_unwind_find_module((uintptr_t)&gnu_get_libc_version, &module));
	ck_assert(ps_unwind_find_segment(
	    &module, (uintptr_t)module.eh_frame_hdr, &segment));
	*size = segment.end - segment.start;
	room = PS_ROUND_UP(*size, (size_t)PAGE);
	map = mmap(NULL, room + 2 * PAGE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + PAGE, room, PROT_READ | PROT_WRITE), 0);
	*copy = map + PAGE + (room - *size);
	memcpy(*copy, (const void *)segment.start, *size);
	module.eh_frame_hdr =
	    *copy + ((uintptr_t)module.eh_frame_hdr - segment.start);
	module.start = (uintptr_t)*copy;
	module.end = module.start + *size;
	return module;
}

/* What the walker relies on. */
static void
assert_sound(const struct ps_rule *r)
{
	if ((r->flags & (PS_RULE_STOP | PS_RULE_END)) != 0)
		return;
	ck_assert_int_le(r->flags, PS_RULE_CFA_LOADED | PS_RULE_SIGNAL);
	ck_assert(r->cfa_base == PS_BASE_SP || r->cfa_base == PS_BASE_FP);
	ck_assert_int_le(r->pc_base, PS_BASE_CFA);
	ck_assert_int_le(r->fp_base, PS_BASE_NONE);
}

/* hazard: U4 wrong unwind tables */
START_TEST(damaged_tables_do_no_harm)
{
	uint8_t *copy;
	size_t size;
	struct ps_unwind_module module = copy_tables(&copy, &size);
	const char *header = module.eh_frame_hdr;
	uint32_t count;
	uint32_t usable = 0;

	srand((unsigned)_i);
	memcpy(&count, header + 8, sizeof(count));
	ck_assert_uint_gt(count, 1000);
	for (int round = 0; round < 100000; round++) {
		uint32_t i = (uint32_t)rand() % count;
		bool is_header = rand() % 64 == 0;
		int32_t pair[2];
		uint8_t saved[8];
		uint8_t *at;
		struct ps_rule rule;

		memcpy(pair, header + 12 + 8 * (size_t)i, sizeof(pair));
		/* the entry, the one before, the table, the header */
		at = (uint8_t *)module.eh_frame_hdr;
		if (!is_header)
			at += rand() % 8 == 0 ? 12 + 8 * (size_t)i
					      : (size_t)pair[1];
		at += rand() % 40 - (rand() % 8 == 0 ? 24 : 0);
		if (at < copy || at > copy + size - sizeof(saved))
			continue;
		memcpy(saved, at, sizeof(saved));
		for (int n = rand() % (int)sizeof(saved); n >= 0; n--)
			at[n] = (uint8_t)(rand() % 4 ? rand() : 0xff);
		for (int n = 0; n < 3; n++) {
			ps_unwind_decode_in(&module,
					    (uintptr_t)header +
						(uintptr_t)(intptr_t)pair[0] +
						(uintptr_t)rand() % 200,
					    &rule);
			assert_sound(&rule);
			usable += (rule.flags & PS_RULE_STOP) == 0;
		}
		if (is_header || rand() % 4 != 0) /* else it stays */
			memcpy(at, saved, sizeof(saved));
	}
	ck_assert_uint_gt(usable, 10000);
}
END_TEST

Suite *
unwind_tables_suite(void)
{
	Suite *s = suite_create("unwind_tables");
	TCase *t = tcase_create("tables");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, map_tables, NULL);
	tcase_add_loop_test(t, leb128, 0, (int)PS_COUNT(lebs));
	tcase_add_test(t, what_is_not_there_reads_as_zero_and_spoils);
	tcase_add_test(t, pointers);
	tcase_add_loop_test(t, an_instruction, 0, (int)PS_COUNT(instructions));
	tcase_add_test(t, the_entries_of_a_plt);
	tcase_add_test(t, a_signal_s_frame);
	tcase_add_loop_test(t, what_is_no_table_has_no_rule, 0,
			    (int)PS_COUNT(spoilers));
	tcase_add_test(t, a_module_too_small_for_its_tables);
	tcase_add_loop_test(t, damaged_tables_do_no_harm, 1, 5);
	suite_add_tcase(s, t);
	return s;
}
