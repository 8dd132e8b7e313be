/* SPDX-License-Identifier: MIT */
/*
 * stack - interned stacks: return addresses in, allocation site out
 *
 * Two open-addressed hash tables in private memory lead from a stack to its
 * site and from an address to its frame; the rows themselves are in the
 * recording.  A slot holds row + 1 and is written once, with release, after the
 * row is complete, so that a look-up needs no lock.  Stacks are compared by a
 * 64-bit hash of their addresses and the module generation: with 32768 sites
 * the odds that two of a run are taken for one are below 10^-10.
 *
 * The generation grows when a module is unloaded, because the same addresses
 * then belong to other code; old rows stay, and keep naming the old module.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "profile/stack.h"
#include "record/writer.h"

enum {
	SITE_SLOTS = 1 << 16,
	FRAME_SLOTS = 1 << 19,
	PROBES_MAX = 256,
};

static _Atomic uint32_t *site_slots;
static _Atomic uint32_t *frame_slots;
static _Atomic uint64_t generation;
static ps_stack_finder *find_module;

int
ps_stack_init(ps_stack_finder *finder)
{
	void *memory;
	int error =
	    ps_os_map((SITE_SLOTS + FRAME_SLOTS) * sizeof(uint32_t), &memory);

	if (error != 0)
		return error;
	find_module = finder;
	frame_slots = (_Atomic uint32_t *)memory + SITE_SLOTS;
	site_slots = memory;
	return 0;
}

static uint64_t
mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static uint64_t
hash_stack(const uintptr_t *pcs, uint32_t depth)
{
	uint64_t h = mix(depth + 1, ps_peek(&generation));

	for (uint32_t i = 0; i < depth; i++)
		h = mix(h, pcs[i]);
	return mix(h, h >> 32);
}

/* ---- modules ------------------------------------------------------------ */

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

static bool
is_module(const struct ps_record_module *m, const struct ps_stack_module *found,
	  const char *path)
{
	return m->start == found->start && m->end == found->end &&
	       strcmp((const char *)ps_record_entry(PS_TABLE_STRINGS, m->path),
		      path) == 0;
}

/* Row of the module that holds pc; UINT32_MAX when none does. */
static uint32_t
module_of_locked(uintptr_t pc)
{
	struct ps_stack_module found;
	struct ps_record_module *m;
	uint32_t count = ps_peek(&ps_record->table[PS_TABLE_MODULES].count);
	uint32_t row;
	void *memory;

	if (!find_module(pc, &found))
		return UINT32_MAX;
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
	m->path = ps_record_string(found.path);
	read_notes(m);
	ps_record_publish(PS_TABLE_MODULES);
	return row;
}

/* ---- frames ------------------------------------------------------------- */

static uint32_t
frame_of_locked(uintptr_t pc)
{
	uint64_t h = mix(mix(pc, ps_peek(&generation)), pc >> 32);
	struct ps_record_frame *frame;
	uint32_t row;
	void *memory;

	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		_Atomic uint32_t *slot =
		    &frame_slots[(h + i) & (FRAME_SLOTS - 1)];
		uint32_t known = ps_peek(slot);

		if (known != 0) {
			frame = ps_record_entry(PS_TABLE_FRAMES, known - 1);
			if (frame->pc == pc &&
			    frame->generation == (uint32_t)generation)
				return known - 1;
			continue;
		}
		row = ps_record_append(PS_TABLE_FRAMES, 1, &memory);
		if (row == UINT32_MAX)
			return UINT32_MAX;
		frame = memory;
		frame->pc = pc;
		frame->module = module_of_locked(pc);
		frame->generation = (uint32_t)generation;
		ps_record_publish(PS_TABLE_FRAMES);
		ps_poke(slot, row + 1);
		return row;
	}
	return UINT32_MAX;
}

/* ---- sites -------------------------------------------------------------- */

static bool
append_frames_locked(const uintptr_t *pcs, uint32_t depth, uint32_t *first)
{
	uint32_t row = 0;
	uint32_t *frames;
	void *memory;

	if (depth == 0) {
		*first = 0;
		return true;
	}
	row = ps_record_append(PS_TABLE_STACK_FRAMES, depth, &memory);
	if (row == UINT32_MAX)
		return false;
	frames = memory;
	for (uint32_t i = 0; i < depth; i++)
		frames[i] = frame_of_locked(pcs[i]);
	ps_record_publish(PS_TABLE_STACK_FRAMES);
	*first = row;
	return true;
}

static uint32_t
append_site_locked(uint64_t hash, const uintptr_t *pcs, uint32_t depth,
		   uint32_t flags)
{
	struct ps_record_site *site;
	uint32_t first;
	const struct ps_record_table *sites = &ps_record->table[PS_TABLE_SITES];
	uint32_t row;
	void *memory;

	if (ps_peek(&sites->count) == sites->capacity) /* counts the drop */
		return ps_record_append(PS_TABLE_SITES, 1, &memory);
	if (!append_frames_locked(pcs, depth, &first))
		return UINT32_MAX;
	row = ps_record_append(PS_TABLE_SITES, 1, &memory);
	if (row == UINT32_MAX)
		return UINT32_MAX;
	site = memory;
	site->hash = hash;
	site->first_frame = first;
	site->depth = (uint16_t)depth;
	site->flags = (uint16_t)flags;
	ps_record_publish(PS_TABLE_SITES);
	return row;
}

/* Slot that holds the hash's site, or the empty one where it belongs. */
static _Atomic uint32_t *
find_slot(uint64_t hash)
{
	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		_Atomic uint32_t *slot =
		    &site_slots[(hash + i) & (SITE_SLOTS - 1)];
		/* pairs with the release below: the row is complete */
		uint32_t known =
		    atomic_load_explicit(slot, memory_order_acquire);
		const struct ps_record_site *site;

		if (known == 0)
			return slot;
		site = ps_record_entry(PS_TABLE_SITES, known - 1);
		if (site->hash == hash)
			return slot;
	}
	return NULL;
}

static uint32_t
enter_site(uint64_t hash, const uintptr_t *pcs, uint32_t depth, uint32_t flags)
{
	_Atomic uint32_t *slot;
	uint32_t row;

	ps_record_lock();
	slot = find_slot(hash);
	if (slot != NULL && ps_peek(slot) != 0) {
		row = ps_peek(slot) - 1;
	} else {
		row = slot == NULL
			  ? UINT32_MAX
			  : append_site_locked(hash, pcs, depth, flags);
		if (row != UINT32_MAX)
			atomic_store_explicit(slot, row + 1,
					      memory_order_release);
	}
	ps_record_unlock();
	return row;
}

uint32_t
ps_stack_site(const uintptr_t *pcs, uint32_t depth, uint32_t flags)
{
	uint64_t hash = hash_stack(pcs, depth);
	_Atomic uint32_t *slot;
	uint32_t known;

	PS_ASSERT(depth <= PS_STACK_DEPTH_MAX);
	if (site_slots == NULL)
		return UINT32_MAX;
	slot = find_slot(hash);
	known = slot == NULL ? 0 : ps_peek(slot);
	return known != 0 ? known - 1 : enter_site(hash, pcs, depth, flags);
}

void
ps_stack_modules_changed(void)
{
	atomic_fetch_add(&generation, 1);
}

void
ps_stack_reset(void)
{
	if (site_slots != NULL)
		(void)ps_os_discard((void *)site_slots,
				    (SITE_SLOTS + FRAME_SLOTS) *
					sizeof(uint32_t));
}
