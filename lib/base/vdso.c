/* SPDX-License-Identifier: MIT */
/*
 * vdso - finds clock_gettime in the image that the kernel maps into us
 *
 * libc has found the same function, but reaches it through its own
 * clock_gettime, which another preload may interpose and which is not
 * relocated yet when malloc is first called.  So the image's dynamic section
 * is read here: symbol table, string table, and the number of symbols from
 * DT_HASH or, in images that only have DT_GNU_HASH, from its last chain.
 *
 * The image is the kernel's and is trusted; what is not trusted is that it has
 * the tables at all (valgrind hides it, old kernels differ), and then the
 * answer is NULL and the caller makes system calls.
 */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "base/vdso.h"

#if defined(__aarch64__)
#define CLOCK_SYMBOL "__kernel_clock_gettime"
#else
#define CLOCK_SYMBOL "__vdso_clock_gettime"
#endif

struct image {
	uintptr_t bias; /* add to an address in the image's tables */
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash;
	const uint32_t *gnu_hash;
};

static const ElfW(Dyn) * find_dynamic(const ElfW(Ehdr) * ehdr, uintptr_t *bias)
{
	const ElfW(Phdr) *ph =
	    (const void *)((uintptr_t)ehdr + (uintptr_t)ehdr->e_phoff);
	const ElfW(Dyn) *dynamic = NULL;
	bool has_load = false;

	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !has_load) {
			*bias =
			    (uintptr_t)ehdr + ph[i].p_offset - ph[i].p_vaddr;
			has_load = true;
		} else if (ph[i].p_type == PT_DYNAMIC) {
			dynamic =
			    (const void *)((uintptr_t)ehdr + ph[i].p_offset);
		}
	}
	return has_load ? dynamic : NULL;
}

static void
read_dynamic(struct image *im, const ElfW(Dyn) * dyn)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)(im->bias + dyn->d_un.d_ptr);

		if (dyn->d_tag == DT_SYMTAB)
			im->symbols = at;
		else if (dyn->d_tag == DT_STRTAB)
			im->strings = at;
		else if (dyn->d_tag == DT_HASH)
			im->hash = at;
		else if (dyn->d_tag == DT_GNU_HASH)
			im->gnu_hash = at;
	}
}

/* The chains end with a set low bit; the last one ends the symbol table. */
static uint32_t
count_gnu_symbols(const uint32_t *gnu_hash)
{
	uint32_t buckets = gnu_hash[0];
	uint32_t first = gnu_hash[1];
	const uint32_t *bucket =
	    gnu_hash + 4 + gnu_hash[2] * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chain = bucket + buckets;
	uint32_t last = 0;

	for (uint32_t i = 0; i < buckets; i++)
		last = PS_MAX(last, bucket[i]);
	if (last < first)
		return first;
	while ((chain[last - first] & 1) == 0)
		last++;
	return last + 1;
}

static uint32_t
count_symbols(const struct image *im)
{
	if (im->symbols == NULL || im->strings == NULL)
		return 0;
	if (im->hash != NULL)
		return im->hash[1];
	return im->gnu_hash != NULL ? count_gnu_symbols(im->gnu_hash) : 0;
}

ps_vdso_clock
ps_vdso_find_clock(const void *base)
{
	const ElfW(Ehdr) *ehdr = base;
	const ElfW(Dyn) * dynamic;
	struct image im = {0};
	uint32_t count;

	if (base == NULL || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	dynamic = find_dynamic(ehdr, &im.bias);
	if (dynamic == NULL)
		return NULL;
	read_dynamic(&im, dynamic);
	count = count_symbols(&im);
	for (uint32_t i = 0; i < count; i++) {
		const ElfW(Sym) *sym = &im.symbols[i];

		if (sym->st_shndx != SHN_UNDEF &&
		    strcmp(im.strings + sym->st_name, CLOCK_SYMBOL) == 0)
			return (ps_vdso_clock)(im.bias + sym->st_value);
	}
	return NULL;
}
