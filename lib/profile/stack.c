/* SPDX-License-Identifier: MIT */
/*
 * stack - interned stacks: return addresses in, allocation site out
 *
 * Open-addressed hash tables in private memory lead from a stack with labels to
 * its site, from a stack to a site that has its frames, and from an address to
 * its frame; the rows themselves are in the recording.  A slot holds row + 1
 * and is written once, with release, after the row is complete, so that a
 * look-up needs no lock.  Stacks are compared by a 64-bit hash of their
 * addresses and the module generation: with 65536 sites the odds that two of a
 * run are taken for one are below 10^-10.
 *
 * The generation grows when a module is unloaded, because the same addresses
 * then belong to other code; old rows stay, and keep naming the old module.
 *
 * Nothing is dropped when the tables are full, since where every block is
 * sampled the sums over sites are the heap: cc1plus on a page of templates has
 * 40000 stacks of 64 frames in a second, and the 85 % that found no room were
 * missing in its peak.  They are told by their innermost frames.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "profile/stack.h"
#include "profile/stack_module.h"
#include "record/writer.h"

enum {
	SITE_SLOTS = 1 << 17,
	STACK_SLOTS = 1 << 17,
	FRAME_SLOTS = 1 << 19,
	ALL_SLOTS = SITE_SLOTS + STACK_SLOTS + FRAME_SLOTS,
	PROBES_MAX = 256,
	/* Frames of what comes when the tables are nearly full, and how many
	 * sites of these there is room for. */
	SHORT_DEPTH = 4,
	SHORT_SITES = 4096,
	LEAF_SITES = 2048, /* of these, with one frame only */
};

static _Atomic uint32_t *site_slots;
static _Atomic uint32_t *stack_slots;
static _Atomic uint32_t *frame_slots;
static _Atomic uint64_t generation;

int
ps_stack_init(ps_stack_finder *finder)
{
	void *memory;
	int error = ps_os_map(ALL_SLOTS * sizeof(uint32_t), &memory);

	if (error != 0)
		return error;
	ps_stack_module_init(finder);
	frame_slots = (_Atomic uint32_t *)memory + SITE_SLOTS + STACK_SLOTS;
	stack_slots = (_Atomic uint32_t *)memory + SITE_SLOTS;
	site_slots = memory;
	return 0;
}

static uint64_t
mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

/* The same addresses are another stack when modules have changed. */
static uint64_t
hash_stack(const struct ps_stack_key *key)
{
	return mix(key->stack ^ key->depth, ps_peek(&generation));
}

static uint64_t
hash_site(uint64_t stack, const struct ps_stack_key *key)
{
	uint64_t labels = (uint64_t)key->thread << 32 | key->section;
	uint64_t h = mix(stack, labels);

	return h ^ h >> 32;
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
		frame->module = ps_stack_module_of_locked(pc);
		frame->generation = (uint32_t)generation;
		ps_record_publish(PS_TABLE_FRAMES);
		ps_poke(slot, row + 1);
		return row;
	}
	return UINT32_MAX;
}

uint32_t
ps_stack_frame_locked(uintptr_t pc)
{
	PS_ASSERT(ps_record_is_locked_by_me());
	return frame_slots == NULL ? UINT32_MAX : frame_of_locked(pc);
}

uint32_t
ps_stack_frame(uintptr_t pc)
{
	uint32_t frame;

	ps_record_lock();
	frame = ps_stack_frame_locked(pc);
	ps_record_unlock();
	return frame;
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

/* A site with the same frames, to share them; else the slot for the new one,
 * NULL when there is none. */
static const struct ps_record_site *
twin_locked(uint64_t stack, _Atomic uint32_t **slot)
{
	*slot = NULL;
	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		_Atomic uint32_t *at =
		    &stack_slots[(stack + i) & (STACK_SLOTS - 1)];
		const struct ps_record_site *site;

		if (ps_peek(at) == 0) {
			*slot = at;
			return NULL;
		}
		site = ps_record_entry(PS_TABLE_SITES, ps_peek(at) - 1);
		if (site->stack == stack)
			return site;
	}
	return NULL;
}

static uint32_t
append_site_locked(uint64_t stack, const struct ps_stack_key *key,
		   const uintptr_t *pcs)
{
	const struct ps_record_table *sites = &ps_record->table[PS_TABLE_SITES];
	const struct ps_record_site *twin;
	_Atomic uint32_t *twin_slot;
	struct ps_record_site *site;
	uint32_t first;
	uint32_t row;
	void *memory;

	if (ps_peek(&sites->count) == sites->capacity) /* counts the drop */
		return ps_record_append(PS_TABLE_SITES, 1, &memory);
	twin = twin_locked(stack, &twin_slot);
	first = twin != NULL ? twin->first_frame : 0;
	if (twin == NULL && !append_frames_locked(pcs, key->depth, &first))
		return UINT32_MAX;
	row = ps_record_append(PS_TABLE_SITES, 1, &memory);
	if (row == UINT32_MAX)
		return UINT32_MAX;
	site = memory;
	site->hash = hash_site(stack, key);
	site->stack = stack;
	site->first_frame = first;
	site->depth = (uint16_t)key->depth;
	site->flags = (uint16_t)key->flags;
	site->thread = key->thread;
	site->section = key->section;
	ps_record_publish(PS_TABLE_SITES);
	if (twin_slot != NULL)
		ps_poke(twin_slot, row + 1);
	return row;
}

/* Stacks are worth more than labels. */
static bool
is_crowded(void)
{
	const struct ps_record_table *sites = &ps_record->table[PS_TABLE_SITES];

	return ps_peek(&sites->count) > sites->capacity / 4 * 3;
}

static struct ps_stack_key
unlabelled(const struct ps_stack_key *key)
{
	struct ps_stack_key plain = *key;

	plain.thread = 0;
	plain.section = UINT32_MAX;
	return plain;
}

static uint32_t
known_site(uint64_t hash)
{
	_Atomic uint32_t *slot = find_slot(hash);

	return slot == NULL ? UINT32_MAX : ps_peek(slot) - 1;
}

uint32_t
ps_stack_find(const struct ps_stack_key *key)
{
	uint64_t stack = hash_stack(key);
	struct ps_stack_key plain;
	uint32_t row;

	PS_ASSERT(key->depth <= PS_STACK_DEPTH_MAX);
	if (ps_unlikely(site_slots == NULL))
		return UINT32_MAX;
	row = known_site(hash_site(stack, key));
	if (ps_likely(row != UINT32_MAX) || !is_crowded())
		return row;
	plain = unlabelled(key);
	return known_site(hash_site(stack, &plain));
}

/* But for the places of `kept` sites that will be short. */
static bool
has_room(const struct ps_stack_key *key, uint32_t kept)
{
	const struct ps_record_table *sites = &ps_record->table[PS_TABLE_SITES];
	const struct ps_record_table *frames =
	    &ps_record->table[PS_TABLE_STACK_FRAMES];

	return ps_peek(&sites->count) < sites->capacity - kept &&
	       ps_peek(&frames->count) + key->depth <=
		   frames->capacity - kept * SHORT_DEPTH;
}

static uint32_t
enter_locked(const struct ps_stack_key *key, const uintptr_t *pcs,
	     uint32_t kept)
{
	uint64_t stack = hash_stack(key);
	_Atomic uint32_t *slot = find_slot(hash_site(stack, key));
	uint32_t row;

	if (slot == NULL)
		return UINT32_MAX;
	if (ps_peek(slot) != 0)
		return ps_peek(slot) - 1;
	if (!has_room(key, kept))
		return UINT32_MAX;
	row = append_site_locked(stack, key, pcs);
	if (row != UINT32_MAX)
		atomic_store_explicit(slot, row + 1, memory_order_release);
	return row;
}

static struct ps_stack_key
cut_key(const struct ps_stack_key *key, const uintptr_t *pcs, uint32_t depth)
{
	struct ps_stack_key cut = unlabelled(key);

	if (key->depth <= depth)
		return cut;
	cut.depth = depth;
	cut.flags |= PS_SITE_TRUNCATED;
	cut.stack = depth;
	for (uint32_t i = 0; i < depth; i++)
		cut.stack = mix(cut.stack, pcs[i]);
	return cut;
}

/*
 * When the tables are as good as full: by its innermost frames, so that figures
 * stay whole and still say who; then by the innermost; then without any.
 */
static uint32_t
enter_short_locked(const struct ps_stack_key *key, const uintptr_t *pcs)
{
	struct ps_stack_key none = {.flags = PS_SITE_NO_STACK,
				    .section = UINT32_MAX};
	struct ps_stack_key cut = cut_key(key, pcs, SHORT_DEPTH);
	uint32_t row = enter_locked(&cut, pcs, LEAF_SITES);

	if (row == UINT32_MAX) {
		cut = cut_key(key, pcs, 1);
		row = enter_locked(&cut, pcs, 1);
	}
	return row != UINT32_MAX ? row : enter_locked(&none, pcs, 0);
}

uint32_t
ps_stack_enter(const struct ps_stack_key *key, const uintptr_t *pcs)
{
	struct ps_stack_key used = *key;
	uint32_t row;

	PS_ASSERT(key->depth <= PS_STACK_DEPTH_MAX);
	if (site_slots == NULL)
		return UINT32_MAX;
	ps_record_lock();
	if (is_crowded())
		used = unlabelled(key);
	row = enter_locked(&used, pcs, SHORT_SITES);
	if (row == UINT32_MAX)
		row = enter_short_locked(&used, pcs);
	ps_record_unlock();
	return row;
}

void
ps_stack_modules_changed(void)
{
	atomic_fetch_add(&generation, 1);
}

void
ps_stack_reset(void)
{
	const size_t bytes = ALL_SLOTS * sizeof(uint32_t);

	/* Cheaper than writing: in a fork child each page would be copied. */
	if (site_slots != NULL && ps_os_discard((void *)site_slots, bytes) != 0)
		memset((void *)site_slots, 0, bytes);
}
