/* SPDX-License-Identifier: MIT */
/*
 * unwind_oracle - what libunwind makes of the unwind tables, as a rule of ours
 *
 * libunwind takes one step in an address space that does not exist: its stack
 * pointer and frame pointer are tags, and a load from a tagged address gives
 * another tag that stands for "the word found there".  What the registers of
 * the caller are after the step then spells out how they are computed, whatever
 * the tables used to say it: plain offsets, a frame pointer, the expressions of
 * PLT entries, realigned stacks and signal frames.
 */
#include <libunwind-x86_64.h>
#include <string.h>

#include "unwind_oracle.h"

/* Exported, and in no header. */
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip,
				       unw_dyn_info_t *table,
				       unw_proc_info_t *info,
				       int need_unwind_info, void *arg);

/* Tags: non-canonical addresses with room for offsets on both sides. */
#define TAG_SP UINT64_C(0x1000000080000000)
#define TAG_FP UINT64_C(0x2000000080000000)
#define TAG_WORD UINT64_C(0x3000000080000000) /* + n << 36: n-th load */
#define TAG_OTHER UINT64_C(0x4000000080000000)
#define TAG_REACH INT64_C(0x40000000)
enum { WORD_SHIFT = 36, WORDS_MAX = 64, NO_WORD = -1 };

/* A load from base + offset, or from the word'th load + offset. */
struct word {
	int base; /* PS_BASE_SP, PS_BASE_FP, or PS_BASE_NONE with `word` */
	int word;
	int32_t offset;
};

/* The one decode that is going on. */
static struct {
	uintptr_t pc;
	struct ps_unwind_module module;
	bool has_info;
	int words;
	struct word word[WORDS_MAX];
} now;

static unw_cursor_t cursor;

/* ---- the address space that does not exist ------------------------------ */

/* base and offset of a tagged value; PS_BASE_NONE and *word for a load. */
static bool
untag(uint64_t value, struct word *out)
{
	static const struct {
		uint64_t tag;
		int base;
	} tags[] = {{TAG_SP, PS_BASE_SP}, {TAG_FP, PS_BASE_FP}};
	int64_t offset;

	for (unsigned i = 0; i < PS_COUNT(tags); i++) {
		offset = (int64_t)(value - tags[i].tag);
		if (offset > -TAG_REACH && offset < TAG_REACH) {
			*out = (struct word){tags[i].base, NO_WORD,
					     (int32_t)offset};
			return true;
		}
	}
	for (int i = 0; i < now.words; i++) {
		offset =
		    (int64_t)(value - TAG_WORD - ((uint64_t)i << WORD_SHIFT));
		if (offset > -TAG_REACH && offset < TAG_REACH) {
			*out = (struct word){PS_BASE_NONE, i, (int32_t)offset};
			return true;
		}
	}
	return false;
}

static bool
is_same_word(const struct word *a, const struct word *b)
{
	return a->base == b->base && a->word == b->word &&
	       a->offset == b->offset;
}

/* The tag of the word at a tagged address. */
static int
load_tagged(const struct word *from, unw_word_t *value)
{
	int i;

	for (i = 0; i < now.words; i++)
		if (is_same_word(&now.word[i], from))
			break;
	if (i == WORDS_MAX)
		return -UNW_ENOMEM;
	if (i == now.words)
		now.word[now.words++] = *from;
	*value = TAG_WORD + ((uint64_t)i << WORD_SHIFT);
	return 0;
}

static int
access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value,
	   int is_write, void *arg)
{
	struct word from;

	(void)space;
	(void)arg;
	if (is_write)
		return -UNW_EINVAL;
	if (address >= now.module.start &&
	    address <= now.module.end - sizeof(*value)) {
		memcpy(value, (const void *)address, sizeof(*value));
		return 0;
	}
	if (untag(address, &from))
		return load_tagged(&from, value);
	return -UNW_EINVAL;
}

static int
access_reg(unw_addr_space_t space, unw_regnum_t reg, unw_word_t *value,
	   int is_write, void *arg)
{
	(void)space;
	(void)arg;
	if (is_write)
		return -UNW_EREADONLYREG;
	switch (reg) {
	case UNW_X86_64_RIP:
		*value = now.pc;
		return 0;
	case UNW_X86_64_RSP:
		*value = TAG_SP;
		return 0;
	case UNW_X86_64_RBP:
		*value = TAG_FP;
		return 0;
	default:
		*value = TAG_OTHER + ((uint64_t)reg << WORD_SHIFT);
		return 0;
	}
}

static int
access_fpreg(unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *value,
	     int is_write, void *arg)
{
	return -UNW_EBADREG;
}

static int
no_dynamic_info(unw_addr_space_t space, unw_word_t *out, void *arg)
{
	(void)space;
	(void)out;
	(void)arg;
	return -UNW_ENOINFO;
}

static int
no_name(unw_addr_space_t space, unw_word_t ip, char *buffer, size_t bytes,
	unw_word_t *offset, void *arg)
{
	return -UNW_ENOINFO;
}

static void
put_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	(void)space;
	(void)info;
	(void)arg;
}

/*
 * The binary search table of .eh_frame_hdr, as every linker writes it: version
 * 1, a 4-byte pc-relative pointer, a 4-byte count, pairs of 4-byte offsets from
 * the header (encodings 0x1b, 0x03, 0x3b of the DWARF extensions in the LSB).
 */
static int
search_table(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
	     int need_unwind_info, void *arg)
{
	const uint8_t *header = now.module.eh_frame_hdr;
	unw_dyn_info_t table;
	uint32_t count;

	if (header == NULL || (uintptr_t)header < now.module.start ||
	    (uintptr_t)header + 12 > now.module.end)
		return -UNW_ENOINFO;
	if (header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b)
		return -UNW_ENOINFO;
	memcpy(&count, header + 8, sizeof(count));
	memset(&table, 0, sizeof(table));
	table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	table.start_ip = now.module.start;
	table.end_ip = now.module.end;
	table.u.rti.segbase = (unw_word_t)header;
	table.u.rti.table_data = (unw_word_t)(header + 12);
	table.u.rti.table_len = count;
	return _Ux86_64_dwarf_search_unwind_table(space, ip, &table, info,
						  need_unwind_info, arg);
}

/*
 * Where the tables say nothing, libunwind goes on to look at the code, which
 * may not be readable: a module has holes.  So nothing is readable then.
 */
static int
find_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
	  int need_unwind_info, void *arg)
{
	int result = search_table(space, ip, info, need_unwind_info, arg);

	now.has_info = result == 0;
	if (!now.has_info)
		now.module.start = UINTPTR_MAX;
	return result;
}

/* ---- a step, read as a rule --------------------------------------------- */

static bool
get_word(unw_regnum_t reg, struct word *out)
{
	unw_word_t value;

	return unw_get_reg(&cursor, reg, &value) == 0 && untag(value, out);
}

/*
 * Where a caller's register was loaded from.  A place relative to the loaded
 * CFA is relative to the CFA; chains of more loads than that are not followed.
 */
static bool
loaded_from(const struct word *value, const struct word *cfa, uint8_t *base,
	    int32_t *offset)
{
	const struct word *from;

	if (value->word == NO_WORD || value->offset != 0)
		return false;
	from = &now.word[value->word];
	*offset = from->offset;
	if (from->word == NO_WORD) {
		*base = (uint8_t)from->base;
		return true;
	}
	*base = PS_BASE_CFA;
	return from->word == cfa->word && cfa->offset == 0;
}

static bool
read_cfa(const struct word *cfa, struct ps_rule *out)
{
	const struct word *from = cfa;

	if (cfa->word != NO_WORD) {
		out->flags |= PS_RULE_CFA_LOADED;
		from = &now.word[cfa->word];
		if (cfa->offset != 0 || from->word != NO_WORD)
			return false;
	}
	out->cfa_base = (uint8_t)from->base;
	out->cfa_offset = from->offset;
	return true;
}

/* Places relative to sp or fp as relative to the CFA, where that is known,
 * so that the walker has one form for nearly all frames. */
static void
rebase(const struct ps_rule *rule, uint8_t *base, int32_t *offset)
{
	if ((rule->flags & PS_RULE_CFA_LOADED) == 0 &&
	    *base == rule->cfa_base) {
		*offset -= rule->cfa_offset;
		*base = PS_BASE_CFA;
	}
}

static bool
read_rule(struct ps_rule *out)
{
	struct word cfa;
	struct word pc;
	struct word fp;

	if (!get_word(UNW_X86_64_RSP, &cfa) || !get_word(UNW_X86_64_RIP, &pc) ||
	    !get_word(UNW_X86_64_RBP, &fp))
		return false;
	if (!read_cfa(&cfa, out) ||
	    !loaded_from(&pc, &cfa, &out->pc_base, &out->pc_offset))
		return false;
	if (fp.word == NO_WORD) {
		out->fp_base = PS_BASE_NONE;
		if (fp.base != PS_BASE_FP || fp.offset != 0)
			return false;
	} else if (!loaded_from(&fp, &cfa, &out->fp_base, &out->fp_offset)) {
		return false;
	}
	/* Only a signal frame keeps pc and sp side by side in memory. */
	if ((out->flags & PS_RULE_CFA_LOADED) != 0 &&
	    out->pc_base == out->cfa_base)
		out->flags |= PS_RULE_SIGNAL;
	rebase(out, &out->pc_base, &out->pc_offset);
	rebase(out, &out->fp_base, &out->fp_offset);
	return true;
}

static unw_addr_space_t
space(void)
{
	static unw_addr_space_t made;
	static unw_accessors_t accessors = {
	    .find_proc_info = find_info,
	    .put_unwind_info = put_info,
	    .get_dyn_info_list_addr = no_dynamic_info,
	    .access_mem = access_mem,
	    .access_reg = access_reg,
	    .access_fpreg = access_fpreg,
	    .get_proc_name = no_name,
	};

	if (made == NULL)
		made = unw_create_addr_space(&accessors, 0);
	return made;
}

void
unwind_oracle(const struct ps_unwind_module *module, uintptr_t pc,
	      struct ps_rule *out)
{
	int stepped;

	memset(out, 0, sizeof(*out));
	now.pc = pc;
	now.words = 0;
	now.has_info = false;
	now.module = *module;
	if (unw_init_remote(&cursor, space(), NULL) == 0) {
		stepped = unw_step(&cursor);
		if (now.has_info && stepped == 0) {
			out->flags = PS_RULE_END;
			return;
		}
		if (now.has_info && stepped > 0 && read_rule(out))
			return;
	}
	memset(out, 0, sizeof(*out));
	out->flags = PS_RULE_STOP;
}

/* ---- the search table --------------------------------------------------- */

uint32_t
unwind_oracle_functions(const struct ps_unwind_module *module)
{
	uint32_t count;

	memcpy(&count, (const char *)module->eh_frame_hdr + 8, sizeof(count));
	return count;
}

uintptr_t
unwind_oracle_start(const struct ps_unwind_module *module, uint32_t i)
{
	int32_t offset;

	memcpy(&offset, (const char *)module->eh_frame_hdr + 12 + 8 * (size_t)i,
	       sizeof(offset));
	return (uintptr_t)module->eh_frame_hdr + (uintptr_t)(intptr_t)offset;
}
