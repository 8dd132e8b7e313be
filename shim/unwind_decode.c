/* SPDX-License-Identifier: MIT */
/*
 * unwind_decode - what the unwind tables say about one address, as a rule
 *
 * libunwind takes one step in an address space that does not exist: its stack
 * pointer and frame pointer are tags, and a load from a tagged address gives
 * another tag that stands for "the word found there".  What the registers of
 * the caller are after the step then spells out how they are computed, whatever
 * the tables used to say it: plain offsets, a frame pointer, the expressions of
 * PLT entries, realigned stacks and signal frames.  So each address is decoded
 * once, without its stack, and libunwind's own caches, its pipe, its
 * dl_iterate_phdr and its guesses about missing tables are never reached.
 *
 * libunwind's local mode, patched, would keep the loader lock, two system calls
 * a frame and a global state that forks and closes break (hazards F2, U1 to
 * U8). Tables are read through bounds-checked accessors, within the module that
 * _dl_find_object names, which takes no lock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libunwind-x86_64.h>
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "shim/unwind_decode.h"
#include "shim/unwind_module.h"

#define LIBRARY "libunwind-x86_64.so.8"

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

static struct {
	unw_addr_space_t space;
	int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, unw_regnum_t, unw_word_t *);
	int (*search)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
		      unw_proc_info_t *, int, void *);
} lib;

/* Too large for a small stack; the decoder's lock guards it. */
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
	return lib.search(space, ip, &table, info, need_unwind_info, arg);
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

/* ---- loading ------------------------------------------------------------ */

static bool
find_functions(void *handle)
{
	unw_addr_space_t (*create)(unw_accessors_t *, int) =
	    (unw_addr_space_t(*)(unw_accessors_t *, int))dlsym(
		handle, "_Ux86_64_create_addr_space");
	static unw_accessors_t accessors = {
	    .find_proc_info = find_info,
	    .put_unwind_info = put_info,
	    .get_dyn_info_list_addr = no_dynamic_info,
	    .access_mem = access_mem,
	    .access_reg = access_reg,
	    .access_fpreg = access_fpreg,
	    .get_proc_name = no_name,
	};

	lib.init_remote =
	    (int (*)(unw_cursor_t *, unw_addr_space_t, void *))dlsym(
		handle, "_Ux86_64_init_remote");
	lib.step = (int (*)(unw_cursor_t *))dlsym(handle, "_Ux86_64_step");
	lib.get_reg = (int (*)(unw_cursor_t *, unw_regnum_t,
			       unw_word_t *))dlsym(handle, "_Ux86_64_get_reg");
	lib.search = (int (*)(
	    unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *,
	    int, void *))dlsym(handle, "_Ux86_64_dwarf_search_unwind_table");
	if (create == NULL || lib.init_remote == NULL || lib.step == NULL ||
	    lib.get_reg == NULL || lib.search == NULL)
		return false;
	lib.space = create(&accessors, 0);
	return lib.space != NULL;
}

/* The lowest descriptor from `from` on that is not open: only EBADF says so. */
static int
unused_descriptor(int from)
{
	struct stat st;

	while (ps_os_fstat(from, &st) != -EBADF)
		from++;
	return from;
}

/* Both ends of a pipe are one inode. */
static void
close_if_pipe(int first, int second)
{
	struct stat a;
	struct stat b;

	if (ps_os_fstat(first, &a) == 0 && ps_os_fstat(second, &b) == 0 &&
	    S_ISFIFO(a.st_mode) && a.st_ino == b.st_ino) {
		(void)ps_os_close(first);
		(void)ps_os_close(second);
	}
}

/*
 * The first use of an address space makes libunwind open a pipe, with which
 * its local mode would test addresses.  Ours never reads the host's stack, so
 * the pipe is closed before the program can meet it (hazards F1, F2).  A new
 * address space caches nothing, which is what we want.
 */
static bool
first_use(void)
{
	int saved_errno = errno;
	int first = unused_descriptor(0);
	int second = unused_descriptor(first + 1);
	bool is_usable = lib.init_remote(&cursor, lib.space, NULL) == 0;

	close_if_pipe(first, second);
	errno = saved_errno;
	return is_usable;
}

int
ps_unwind_decode_init(const char **why)
{
	void *handle;

	if (!ps_unwind_module_init()) {
		*why = "the C library is older than glibc 2.35";
		return -ENOSYS;
	}
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		*why = LIBRARY " cannot be loaded";
		return -ENOENT;
	}
	if (!find_functions(handle) || !first_use()) {
		*why = LIBRARY " is not the libunwind that was expected";
		return -ENOEXEC;
	}
	return 0;
}

/* ---- a step, read as a rule --------------------------------------------- */

static bool
get_word(unw_regnum_t reg, struct word *out)
{
	unw_word_t value;

	return lib.get_reg(&cursor, reg, &value) == 0 && untag(value, out);
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

void
ps_unwind_decode(uintptr_t pc, bool is_exact, struct ps_rule *out)
{
	int stepped;

	memset(out, 0, sizeof(*out));
	out->flags = PS_RULE_STOP;
	now.pc = is_exact ? pc : pc - 1;
	now.words = 0;
	now.has_info = false;
	if (!ps_unwind_find_module(now.pc, &now.module) ||
	    lib.init_remote(&cursor, lib.space, NULL) != 0)
		return;
	stepped = lib.step(&cursor);
	if (!now.has_info)
		return;
	out->flags = stepped == 0 ? PS_RULE_END : 0;
	if (stepped < 0 || (stepped > 0 && !read_rule(out)))
		out->flags = PS_RULE_STOP;
}
