/* SPDX-License-Identifier: MIT */
/*
 * stack_module - the modules that return addresses lie in, as rows of the
 * recording: where they are, how they are called, which build they are
 */
#include <elf.h>
#include <string.h>

#include "base/os.h"
#include "profile/stack_module.h"
#include "record/writer.h"

enum { PATH_BYTES = 4096 };

static ps_stack_finder *find_module;

void
ps_stack_module_init(ps_stack_finder *finder)
{
	PS_ASSERT(finder != NULL);
	find_module = finder;
}

static void
read_build_id(struct ps_record_module *m, const Elf64_Phdr *note)
{
	const char *at = (const char *)(m->bias + note->p_vaddr);
	const char *end = at + note->p_memsz;

	while (at + sizeof(Elf64_Nhdr) < end) {
		const Elf64_Nhdr *n = (const Elf64_Nhdr *)at;
		const char *name = at + sizeof(*n);
		const char *desc = name + PS_ROUND_UP(n->n_namesz, 4u);

		at = desc + PS_ROUND_UP(n->n_descsz, 4u);
		if (n->n_type != NT_GNU_BUILD_ID || n->n_namesz != 4 ||
		    at > end || memcmp(name, "GNU", 4) != 0)
			continue;
		m->build_id_bytes =
		    PS_MIN(n->n_descsz, (uint32_t)sizeof(m->build_id));
		memcpy(m->build_id, desc, m->build_id_bytes);
		return;
	}
}

/* The first page of a loaded module is its ELF header. */
static void
read_notes(struct ps_record_module *m)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)m->start;
	const Elf64_Phdr *program;

	if (m->end - m->start < 4096 ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phoff + header->e_phnum * sizeof(*program) > 4096)
		return;
	program = (const Elf64_Phdr *)(m->start + header->e_phoff);
	for (unsigned i = 0; i < header->e_phnum && m->build_id_bytes == 0; i++)
		if (program[i].p_type == PT_NOTE &&
		    m->bias + program[i].p_vaddr >= m->start &&
		    m->bias + program[i].p_vaddr + program[i].p_memsz <= m->end)
			read_build_id(m, &program[i]);
}

/* A module is named as whoever loaded it did: "./x.so" is one in the directory
 * of that moment. */
static const char *
without_dot(const char *path)
{
	return path[0] == '.' && path[1] == '/' ? path + 2 : path;
}

static const char *
absolute_locked(const char *path)
{
	static PS_BIG char joined[PATH_BYTES];
	ssize_t got;
	size_t length;

	if (path[0] == '/' || path[0] == '\0')
		return path;
	got = ps_os_readlink("/proc/self/cwd", joined, sizeof(joined) - 1);
	path = without_dot(path);
	length = strlen(path);
	if (got <= 0 || (size_t)got + length + 2 > sizeof(joined))
		return path;
	joined[got] = '/';
	memcpy(joined + got + 1, path, length + 1);
	return joined;
}

/* What was made absolute ends as it was named. */
static bool
is_path_of(const char *recorded, const char *path)
{
	size_t whole = strlen(recorded);
	size_t part;

	if (path[0] == '/' || path[0] == '\0')
		return strcmp(recorded, path) == 0;
	path = without_dot(path);
	part = strlen(path);
	return part <= whole && strcmp(recorded + whole - part, path) == 0;
}

static bool
is_module(const struct ps_record_module *m, const struct ps_stack_module *found,
	  const char *path)
{
	return m->start == found->start && m->end == found->end &&
	       is_path_of(ps_record_entry(PS_TABLE_STRINGS, m->path), path);
}

uint32_t
ps_stack_module_of_locked(uintptr_t pc, bool *is_own)
{
	struct ps_stack_module found = {.is_own = false};
	struct ps_record_module *m;
	uint32_t count = ps_peek(&ps_record->table[PS_TABLE_MODULES].count);
	uint32_t row;
	void *memory;

	PS_ASSERT(ps_record_is_locked_by_me());
	*is_own = false;
	if (!find_module(pc, &found))
		return UINT32_MAX;
	PS_DEBUG_ASSERT(found.start < found.end && found.path != NULL);
	*is_own = found.is_own;
	if (found.path[0] == '\0')
		found.path =
		    ps_record_entry(PS_TABLE_STRINGS, ps_record->process.exe);
	for (row = count; row-- > 0;)
		if (is_module(ps_record_entry(PS_TABLE_MODULES, row), &found,
			      found.path))
			return row;
	row = ps_record_append(PS_TABLE_MODULES, 1, &memory);
	if (row == UINT32_MAX)
		return UINT32_MAX;
	m = memory;
	m->start = found.start;
	m->end = found.end;
	m->bias = found.bias;
	m->path = ps_record_string(absolute_locked(found.path));
	read_notes(m);
	ps_record_publish(PS_TABLE_MODULES);
	return row;
}
