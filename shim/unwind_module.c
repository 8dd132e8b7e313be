/* SPDX-License-Identifier: MIT */
/*
 * unwind_module - which module is mapped at an address
 *
 * _dl_find_object takes no lock and allocates nothing, unlike dladdr and
 * dl_iterate_phdr; glibc has it since 2.35.  Of a program whose segments have
 * gaps between them (node's are 2 MiB apart) it tells only the segment that
 * the address is in, and the unwind tables lie in another one.  So the whole is
 * taken from the program headers, which the kernel tells.
 *
 * Between a module's segments nothing may be mapped.  So who reads its tables
 * asks for the segment that they are in, which its ELF header leads to.
 */
#include <dlfcn.h>
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include "shim/unwind_module.h"

enum { PAGE_BYTES = 4096 };

static int (*find_object)(void *, struct dl_find_object *);

/* All segments of what the kernel loaded: the program, or a loader. */
static uintptr_t program_start;
static uintptr_t program_end;
static const Elf64_Phdr *program_headers;
static size_t program_header_count;

static uintptr_t
bias_of(const Elf64_Phdr *header, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (header[i].p_type == PT_PHDR)
			return (uintptr_t)header - header[i].p_vaddr;
	return 0;
}

static void
find_program(void)
{
	const Elf64_Phdr *header = (const Elf64_Phdr *)getauxval(AT_PHDR);
	size_t count = header == NULL ? 0 : getauxval(AT_PHNUM);
	uintptr_t bias = bias_of(header, count);
	uintptr_t start = UINTPTR_MAX;
	uintptr_t end = 0;

	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *p = &header[i];

		if (p->p_type != PT_LOAD)
			continue;
		start = PS_MIN(start, bias + p->p_vaddr);
		end = PS_MAX(end, bias + p->p_vaddr + p->p_memsz);
	}
	program_headers = header;
	program_header_count = count;
	program_start = start & ~(uintptr_t)(PAGE_BYTES - 1);
	program_end = PS_ROUND_UP(end, (uintptr_t)PAGE_BYTES);
}

static void
widen(struct ps_unwind_module *module)
{
	if (module->start >= program_start && module->end <= program_end) {
		module->start = program_start;
		module->end = program_end;
	}
}

bool
ps_unwind_module_init(void)
{
	find_program();
	find_object = (int (*)(void *, struct dl_find_object *))dlsym(
	    RTLD_DEFAULT, "_dl_find_object");
	return find_object != NULL;
}

bool
ps_unwind_find_module(uintptr_t pc, struct ps_unwind_module *out)
{
	struct dl_find_object found;
	const struct link_map_head {
		uintptr_t bias;
		const char *path;
	} * map;

	if (find_object == NULL || find_object((void *)pc, &found) != 0)
		return false;
	map = (const struct link_map_head *)found.dlfo_link_map;
	out->start = (uintptr_t)found.dlfo_map_start;
	out->end = (uintptr_t)found.dlfo_map_end;
	out->bias = map != NULL ? map->bias : 0;
	out->path = map != NULL && map->path != NULL ? map->path : "";
	out->eh_frame_hdr = found.dlfo_eh_frame;
	widen(out);
	return true;
}

/* ---- segments ----------------------------------------------------------- */

/* NULL: what the module begins with is no ELF header of its first page. */
static const Elf64_Phdr *
headers_of(const struct ps_unwind_module *module, size_t *count)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)module->start;

	if (module->start == program_start && program_headers != NULL) {
		*count = program_header_count;
		return program_headers;
	}
	if (module->start % PAGE_BYTES != 0 ||
	    module->end - module->start < PAGE_BYTES ||
	    memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(Elf64_Phdr) ||
	    elf->e_phoff % _Alignof(Elf64_Phdr) != 0 ||
	    elf->e_phoff > PAGE_BYTES ||
	    elf->e_phnum > (PAGE_BYTES - elf->e_phoff) / sizeof(Elf64_Phdr))
		return NULL;
	*count = elf->e_phnum;
	return (const Elf64_Phdr *)(module->start + elf->e_phoff);
}

bool
ps_unwind_find_segment(const struct ps_unwind_module *module, uintptr_t address,
		       struct ps_segment *out)
{
	size_t count = 0;
	const Elf64_Phdr *header = headers_of(module, &count);

	out->start = module->start;
	out->end = module->end;
	if (address < module->start || address >= module->end)
		return false;
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *p = &header[i];
		uintptr_t start = module->bias + p->p_vaddr;

		if (p->p_type != PT_LOAD || (p->p_flags & PF_R) == 0 ||
		    address - start >= p->p_memsz)
			continue;
		out->start = PS_MAX(start, module->start);
		out->end = PS_MIN(start + p->p_memsz, module->end);
		return true;
	}
	return count == 0;
}
