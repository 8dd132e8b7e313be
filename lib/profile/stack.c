/* SPDX-License-Identifier: MIT */
/*
 * stack - interned stacks: return addresses in, allocation site out
 *
 * Indexes in private memory (row_index.h) lead from a stack with labels to its
 * site, from a stack to a site that has its frames, and from an address to its
 * frame; the rows themselves are in the recording.  Stacks are compared by a
 * 64-bit hash of their addresses and the module generation: with 65536 sites
 * the odds that two of a run are taken for one are below 10^-10.
 *
 * The generation grows when a module is unloaded, because the same addresses
 * then belong to other code; old rows stay, and keep naming the old module.
 *
 * Nothing is dropped when the tables are full, since where every block is
 * sampled the sums over sites are the heap.  The fuller they are, the fewer of
 * its innermost frames a new stack is told by: cc1plus has 140000 stacks of 49
 * frames on a page of templates, 20000 by their innermost 10, 2000 by 4.
 */
#include <string.h>

#include "base/os.h"
#include "profile/row_index.h"
#include "profile/stack.h"
#include "profile/stack_module.h"
#include "profile/stack_tail.h"
#include "record/writer.h"

enum {
	SITE_BITS = 17,
	STACK_BITS = 17,
	FRAME_BITS = 19,
	/* Frames of what comes when the tables are nearly full, and how many
	 * sites of these there is room for. */
	SHORT_DEPTH = 4,
	SHORT_SITES = 4096,
	LEAF_SITES = 2048, /* of these, with one frame only */
};

#define ALL_SLOTS                                                              \
	(PS_ROW_INDEX_SLOTS(SITE_BITS) + PS_ROW_INDEX_SLOTS(STACK_BITS) +      \
	 PS_ROW_INDEX_SLOTS(FRAME_BITS) + PS_STACK_TAIL_SLOTS)

static _Atomic uint32_t *all_slots;
static struct ps_row_index sites;
static struct ps_row_index stacks;
static struct ps_row_index frames;
static _Atomic uint64_t generation;

static void
begin_indexes(void)
{
	_Atomic uint32_t *slots = all_slots;

	ps_row_index_init(&sites, slots, SITE_BITS);
	slots += PS_ROW_INDEX_SLOTS(SITE_BITS);
	ps_row_index_init(&stacks, slots, STACK_BITS);
	slots += PS_ROW_INDEX_SLOTS(STACK_BITS);
	ps_row_index_init(&frames, slots, FRAME_BITS);
	slots += PS_ROW_INDEX_SLOTS(FRAME_BITS);
	ps_stack_tail_init((uint32_t *)slots);
}

int
ps_stack_init(ps_stack_finder *finder)
{
	void *memory;
	int error = ps_os_map(ALL_SLOTS * sizeof(uint32_t), &memory);

	if (error != 0)
		return error;
	ps_stack_module_init(finder);
	all_slots = memory;
	begin_indexes();
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

static uint64_t
hash_frame(uintptr_t pc, uint64_t of_generation)
{
	return mix(mix(pc, of_generation), pc >> 32);
}

static uint64_t
hash_of_frame(uint32_t row)
{
	const struct ps_record_frame *frame =
	    ps_record_entry(PS_TABLE_FRAMES, row);

	return hash_frame(frame->pc, frame->generation);
}

static uint32_t
append_frame_locked(uintptr_t pc, _Atomic uint32_t *slot)
{
	struct ps_record_frame *frame;
	void *memory;
	bool is_own;
	uint32_t row = ps_record_append(PS_TABLE_FRAMES, 1, &memory);

	if (row == UINT32_MAX)
		return UINT32_MAX;
	frame = memory;
	frame->pc = pc;
	frame->module = ps_stack_module_of_locked(pc, &is_own);
	frame->flags = is_own ? PS_FRAME_OWN : 0;
	frame->generation = (uint32_t)generation;
	ps_record_publish(PS_TABLE_FRAMES);
	ps_row_index_enter(&frames, slot, row);
	return row;
}

static uint32_t
frame_of_locked(uintptr_t pc)
{
	uint32_t now = (uint32_t)ps_peek(&generation);
	uint64_t hash = hash_frame(pc, now);
	struct ps_row_table table;

	ps_row_index_make_room(&frames, hash_of_frame);
	table = ps_row_index_table(&frames);
	for (uint32_t i = 0; i < PS_ROW_PROBES_MAX; i++) {
		_Atomic uint32_t *slot = ps_row_table_slot(&table, hash, i);
		const struct ps_record_frame *frame;

		if (ps_peek(slot) == 0)
			return append_frame_locked(pc, slot);
		frame = ps_record_entry(PS_TABLE_FRAMES, ps_peek(slot) - 1);
		if (frame->pc == pc && frame->generation == now)
			return ps_peek(slot) - 1;
	}
	return UINT32_MAX;
}

uint32_t
ps_stack_frame_locked(uintptr_t pc)
{
	PS_ASSERT(ps_record_is_locked_by_me());
	return all_slots == NULL ? UINT32_MAX : frame_of_locked(pc);
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
	uint32_t list[PS_STACK_DEPTH_MAX];

	*first = 0;
	if (depth == 0)
		return true;
	for (uint32_t i = 0; i < depth; i++)
		list[i] = frame_of_locked(pcs[i]);
	*first = ps_stack_tail_append_locked(list, depth);
	return *first != UINT32_MAX;
}

static struct ps_record_site *
site_at(uint32_t row)
{
	return ps_record_entry(PS_TABLE_SITES, row);
}

static uint64_t
hash_of_site(uint32_t row)
{
	return site_at(row)->hash;
}

static uint64_t
stack_of_site(uint32_t row)
{
	return site_at(row)->stack;
}

/* Slot that holds the row with the hash, or the empty one where it belongs;
 * *row: what it held then, UINT32_MAX: nothing. */
PS_INLINE _Atomic uint32_t *
find_slot(const struct ps_row_index *index, uint64_t (*hash_of)(uint32_t row),
	  uint64_t hash, uint32_t *row)
{
	struct ps_row_table table = ps_row_index_table(index);

	for (uint32_t i = 0; i < PS_ROW_PROBES_MAX; i++) {
		_Atomic uint32_t *slot = ps_row_table_slot(&table, hash, i);
		/* pairs with the release in ps_row_index_enter */
		uint32_t known =
		    atomic_load_explicit(slot, memory_order_acquire);

		*row = known - 1;
		if (known == 0 || hash_of(known - 1) == hash)
			return slot;
	}
	*row = UINT32_MAX;
	return NULL;
}

static uint32_t
append_site_locked(uint64_t stack, const struct ps_stack_key *key,
		   const uintptr_t *pcs)
{
	const struct ps_record_table *table = &ps_record->table[PS_TABLE_SITES];
	/* Of a site with the same frames, to share them; or for the new one. */
	_Atomic uint32_t *shared;
	const struct ps_record_site *twin = NULL;
	struct ps_record_site *site;
	uint32_t first;
	uint32_t row;
	void *memory;

	if (ps_peek(&table->count) == table->capacity) /* counts the drop */
		return ps_record_append(PS_TABLE_SITES, 1, &memory);
	shared = find_slot(&stacks, stack_of_site, stack, &row);
	if (row != UINT32_MAX)
		twin = site_at(row);
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
	if (shared != NULL && twin == NULL)
		ps_row_index_enter(&stacks, shared, row);
	return row;
}

/* Stacks are worth more than labels. */
static bool
is_crowded(void)
{
	const struct ps_record_table *table = &ps_record->table[PS_TABLE_SITES];

	return ps_peek(&table->count) > table->capacity / 4 * 3;
}

static struct ps_stack_key
unlabelled(const struct ps_stack_key *key)
{
	struct ps_stack_key plain = *key;

	plain.thread = 0;
	plain.section = UINT32_MAX;
	return plain;
}

/* A spare recording (writer.c) has no rows. */
static uint32_t
sixteenths_full(enum ps_table_id id)
{
	const struct ps_record_table *table = &ps_record->table[id];

	return ps_peek(&table->count) / PS_MAX(table->capacity / 16, 1u);
}

/* Frames of a new stack, by how full the tables are. */
static uint32_t
depth_allowed(void)
{
	static const struct {
		uint32_t sixteenths;
		uint32_t depth;
	} levels[] = {{8, PS_STACK_DEPTH_MAX}, {12, 16}, {14, 10}, {16, 8}};
	uint32_t full = PS_MAX(sixteenths_full(PS_TABLE_SITES),
			       sixteenths_full(PS_TABLE_STACK_FRAMES));
	unsigned i = 0;

	while (i + 1 < PS_COUNT(levels) && full >= levels[i].sixteenths)
		i++;
	return levels[i].depth;
}

static uint32_t
known_site(uint64_t hash)
{
	uint32_t row;

	(void)find_slot(&sites, hash_of_site, hash, &row);
	return row;
}

uint32_t
ps_stack_find(const struct ps_stack_key *key)
{
	uint64_t stack = hash_stack(key);
	struct ps_stack_key plain;
	uint32_t row;

	PS_ASSERT(key->depth <= PS_STACK_DEPTH_MAX);
	if (ps_unlikely(all_slots == NULL))
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
	const struct ps_record_table *rows = &ps_record->table[PS_TABLE_SITES];
	const struct ps_record_table *of_stacks =
	    &ps_record->table[PS_TABLE_STACK_FRAMES];

	return ps_peek(&rows->count) < rows->capacity - kept &&
	       ps_peek(&of_stacks->count) + key->depth < /* and a link */
		   of_stacks->capacity - kept * (SHORT_DEPTH + 1);
}

static uint32_t
enter_locked(const struct ps_stack_key *key, const uintptr_t *pcs,
	     uint32_t kept)
{
	uint64_t stack = hash_stack(key);
	_Atomic uint32_t *slot;
	uint32_t row;

	ps_row_index_make_room(&sites, hash_of_site);
	ps_row_index_make_room(&stacks, stack_of_site);
	slot = find_slot(&sites, hash_of_site, hash_site(stack, key), &row);
	if (row != UINT32_MAX || slot == NULL || !has_room(key, kept))
		return row;
	row = append_site_locked(stack, key, pcs);
	if (row != UINT32_MAX)
		ps_row_index_enter(&sites, slot, row);
	return row;
}

static struct ps_stack_key
cut_key(const struct ps_stack_key *key, const uintptr_t *pcs, uint32_t depth)
{
	struct ps_stack_key cut = *key;

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
	struct ps_stack_key plain = unlabelled(key);
	struct ps_stack_key cut = cut_key(&plain, pcs, SHORT_DEPTH);
	uint32_t row = enter_locked(&cut, pcs, LEAF_SITES);

	if (row == UINT32_MAX) {
		cut = cut_key(&plain, pcs, 1);
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
	/* A handler that interrupted the lock's owner enters nothing. */
	if (all_slots == NULL || ps_record_is_locked_by_me())
		return UINT32_MAX;
	ps_record_lock();
	if (is_crowded())
		used = unlabelled(key);
	row = known_site(hash_site(hash_stack(&used), &used));
	if (row == UINT32_MAX) {
		used = cut_key(&used, pcs, depth_allowed());
		row = enter_locked(&used, pcs, SHORT_SITES);
	}
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
	if (all_slots == NULL || sites.used + stacks.used + frames.used == 0)
		return;
	if (ps_os_discard((void *)all_slots, bytes) != 0)
		memset((void *)all_slots, 0, bytes);
	begin_indexes();
}
