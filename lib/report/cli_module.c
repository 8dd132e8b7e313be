/* SPDX-License-Identifier: MIT */
/*
 * cli_module - what elfutils knows of one file that was mapped
 *
 * Each file gets a session of libdwfl of its own and is opened when a frame of
 * it is asked for.  In one session for all, modules must not overlap, but
 * those of a recording may (a library in the place of one that was unloaded),
 * and a report that names ten frames would open a hundred files.
 *
 * libdwfl finds a function by going through all symbols, and a unit by
 * .debug_aranges, which clang does not write.  The first costs too much where
 * every frame is named, the second finds nothing, so this keeps both sorted by
 * address: symbols at once, the units' ranges when .debug_aranges fails.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "base/text.h"
#include "report/cli_module.h"
#include "report/symbol_elf.h"

#define DEBUG_DIRECTORY "/usr/lib/debug/.build-id/"

/* Symbols that start before an address and may still reach it. */
enum { LOOK_BACK = 16 };

struct function {
	Dwarf_Addr start;
	Dwarf_Addr bytes;
	const char *name;
	int rank; /* of names at one address, the highest counts */
};

struct range {
	Dwarf_Addr start;
	Dwarf_Addr end;
	Dwarf_Die unit;
};

struct ps_module {
	Dwfl *dwfl;
	Dwfl_Module *dw;
	struct function *functions;
	size_t function_count;
	struct range *ranges;
	size_t range_count;
	bool has_functions; /* they were looked for */
	bool has_ranges;
	Dwarf_Addr bias; /* of DWARF */
};

/* Whether there is something that elfutils would wait for or do things to. */
static bool
is_odd_file(const char *directory, int length, const char *below,
	    const char *name)
{
	struct ps_text text;
	char path[4096];
	struct stat st;

	ps_text_init(&text, path, sizeof(path), -1);
	ps_text_put(&text, directory, (size_t)length);
	ps_text_printf(&text, "%s%s", below, name);
	return text.cut > 0 ||
	       (ps_os_stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

/*
 * A file says by itself which one has its debug information, and it may be
 * anybody's: only a regular one beside it, or below a directory of root's.
 */
static int
find_debuginfo(Dwfl_Module *module, void **user, const char *module_name,
	       Dwarf_Addr base, const char *file, const char *debug,
	       GElf_Word checksum, char **found)
{
	int length = (int)(ps_base_name(file) - file);

	if (debug != NULL && (strchr(debug, '/') != NULL ||
			      is_odd_file(file, length, "", debug) ||
			      is_odd_file(file, length, ".debug/", debug)))
		return -1;
	return dwfl_standard_find_debuginfo(module, user, module_name, base,
					    file, debug, checksum, found);
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

/* ---- opening ---- */

static bool
is_same_build(Dwfl_Module *module, const struct ps_record_module *row)
{
	const unsigned char *id;
	GElf_Addr address;
	int bytes;

	if (row->build_id_bytes == 0)
		return true;
	/* The main file must have been opened for its notes to be known. */
	if (dwfl_module_getelf(module, &address) == NULL)
		return false;
	bytes = dwfl_module_build_id(module, &id, &address);
	return bytes > 0 && bytes <= (int)sizeof(row->build_id) &&
	       bytes == (int)row->build_id_bytes &&
	       memcmp(id, row->build_id, (size_t)bytes) == 0;
}

static bool
open_file(struct ps_module *m, const struct ps_record_module *row,
	  const char *path, const char **why)
{
	uint64_t bytes;
	int fd = ps_os_open_regular(path, &bytes);

	PS_ASSERT(m->dwfl == NULL);
	if (fd < 0) {
		*why = fd == -EINVAL ? "is no regular file"
				     : "is not there any more";
		return false;
	}
	m->dwfl = dwfl_begin(&callbacks);
	if (m->dwfl == NULL) {
		ps_os_close(fd);
		return false;
	}
	dwfl_report_begin(m->dwfl);
	m->dw = dwfl_report_elf(m->dwfl, path, path, fd, 0, true);
	if (m->dw == NULL)
		ps_os_close(fd);
	(void)dwfl_report_end(m->dwfl, NULL, NULL);
	if (m->dw != NULL && is_same_build(m->dw, row))
		return true;
	*why = "is not the file that was recorded";
	dwfl_end(m->dwfl);
	m->dwfl = NULL;
	return false;
}

static bool
debug_path(const struct ps_record_module *row, char *path, size_t bytes)
{
	struct ps_text text;

	if (row->build_id_bytes < 2 ||
	    row->build_id_bytes > sizeof(row->build_id))
		return false;
	ps_text_init(&text, path, bytes, -1);
	ps_text_str(&text, DEBUG_DIRECTORY);
	for (uint32_t i = 0; i < row->build_id_bytes; i++)
		ps_text_printf(&text, i == 0 ? "%02x/" : "%02x",
			       row->build_id[i]);
	ps_text_str(&text, ".debug");
	return text.cut == 0;
}

struct ps_module *
ps_module_open(struct ps_scratch *scratch, const struct ps_record_module *row,
	       const char *path, const char **why)
{
	struct ps_module *m = ps_scratch_alloc(scratch, sizeof(*m));
	const char *ignored;
	char debug[256];

	*why = "cannot be read";
	if (m == NULL)
		return NULL;
	if (open_file(m, row, path, why))
		return m;
	if (debug_path(row, debug, sizeof(debug)) &&
	    open_file(m, row, debug, &ignored))
		return m;
	return NULL;
}

void
ps_module_close(struct ps_module *m)
{
	dwfl_end(m->dwfl);
	free(m->functions);
	free(m->ranges);
}

/* ---- functions ---- */

static int
rank_of(const GElf_Sym *s)
{
	switch (GELF_ST_BIND(s->st_info)) {
	case STB_GLOBAL:
		return 2;
	case STB_WEAK:
		return 1;
	default:
		return 0;
	}
}

static int
by_start(const void *a, const void *b)
{
	const struct function *x = a;
	const struct function *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return strcmp(y->name, x->name);
}

static void
find_functions(struct ps_module *m)
{
	int count = dwfl_module_getsymtab(m->dw);

	PS_ASSERT(m->functions == NULL && m->function_count == 0);
	m->has_functions = true;
	if (count <= 0)
		return;
	m->functions = calloc((size_t)count, sizeof(*m->functions));
	for (int i = 0; m->functions != NULL && i < count; i++) {
		struct function *f = &m->functions[m->function_count];
		GElf_Sym s;
		GElf_Word section;
		int type;

		f->name = dwfl_module_getsym_info(m->dw, i, &s, &f->start,
						  &section, NULL, NULL);
		type = GELF_ST_TYPE(s.st_info);
		if (f->name == NULL || f->name[0] == '\0' ||
		    section == SHN_UNDEF || f->start == 0 ||
		    (type != STT_FUNC && type != STT_GNU_IFUNC))
			continue;
		f->bytes = s.st_size;
		f->rank = rank_of(&s);
		m->function_count++;
	}
	PS_ASSERT(m->functions != NULL || m->function_count == 0);
	if (m->functions != NULL && m->function_count > 0)
		qsort(m->functions, m->function_count, sizeof(*m->functions),
		      by_start);
	for (size_t i = 1; i < m->function_count; i++)
		PS_DEBUG_ASSERT(m->functions[i - 1].start <=
				m->functions[i].start);
}

const char *
ps_module_function(struct ps_module *m, Dwarf_Addr address)
{
	size_t low = 0;
	size_t high;

	PS_ASSERT(m->dwfl != NULL && m->dw != NULL);
	if (!m->has_functions)
		find_functions(m);
	high = m->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	PS_ASSERT(low == 0 || m->functions[low - 1].start <= address);
	PS_DEBUG_ASSERT(low == m->function_count ||
			m->functions[low].start > address);
	for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--) {
		const struct function *f = &m->functions[i - 1];

		if (address - f->start < f->bytes ||
		    (f->bytes == 0 && i == low))
			return f->name;
	}
	return NULL;
}

/* ---- units ---- */

static int
by_range(const void *a, const void *b)
{
	const struct range *x = a;
	const struct range *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool
add_range(struct ps_module *m, Dwarf_Addr start, Dwarf_Addr end,
	  const Dwarf_Die *unit)
{
	struct range *ranges = m->ranges;

	PS_ASSERT(start < end && (ranges != NULL || m->range_count == 0));
	/* Room doubles whenever the count is a power of two. */
	if ((m->range_count & (m->range_count - 1)) == 0)
		ranges = realloc(ranges, PS_MAX(m->range_count * 2, (size_t)1) *
					     sizeof(*ranges));
	if (ranges == NULL)
		return false;
	m->ranges = ranges;
	ranges[m->range_count++] = (struct range){start, end, *unit};
	return true;
}

/* All of them, or as many as there is memory for. */
static void
collect_ranges(struct ps_module *m)
{
	Dwarf_Die *unit = NULL;

	while ((unit = dwfl_module_nextcu(m->dw, unit, &m->bias)) != NULL) {
		Dwarf_Addr base;
		Dwarf_Addr start;
		Dwarf_Addr end;
		ptrdiff_t at = 0;

		while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0)
			if (end > start && !add_range(m, start, end, unit))
				return;
	}
}

static void
find_ranges(struct ps_module *m)
{
	PS_ASSERT(m->range_count == 0);
	m->has_ranges = true;
	collect_ranges(m);
	if (m->range_count > 0)
		qsort(m->ranges, m->range_count, sizeof(*m->ranges), by_range);
	for (size_t i = 1; i < m->range_count; i++)
		PS_DEBUG_ASSERT(m->ranges[i - 1].start <= m->ranges[i].start);
}

Dwarf_Die *
ps_module_unit(struct ps_module *m, Dwarf_Addr address, Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(m->dw, address, bias);
	size_t low = 0;
	size_t high;

	if (unit != NULL)
		return unit;
	if (!m->has_ranges)
		find_ranges(m);
	*bias = m->bias;
	high = m->range_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->ranges[middle].start <= address - m->bias)
			low = middle + 1;
		else
			high = middle;
	}
	PS_ASSERT(low == 0 || m->ranges[low - 1].start <= address - m->bias);
	if (low == 0 || address - m->bias >= m->ranges[low - 1].end)
		return NULL;
	return &m->ranges[low - 1].unit;
}
