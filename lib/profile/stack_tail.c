/* SPDX-License-Identifier: MIT */
/*
 * stack_tail - frames of stacks in the recording, their outer ones only once
 *
 * The stacks of a program part near their leaves: those of cc1plus on a page of
 * templates have 43 frames, 9 of which are new in each.  So a stack is written
 * as what is new, then a link to where the rest of it stands already.
 *
 * A tail is a stack's outermost 4, 8, 12 ... frames.  A hash table leads from
 * a tail's 4 innermost frames, and the place of the tail within it, to its
 * place; a slot holds place + 1, and what stands there is compared.  The
 * longest known tail is found from the outermost frames inwards, in one look-up
 * for each 4 frames.  A tail for each frame would save a tenth more room in the
 * recording for four times the slots.  The first stacks are written whole: the
 * slots of a short run would cost more page faults than its stacks.
 */
#include "profile/stack_tail.h"
#include "record/writer.h"

enum {
	STRIDE = 4,
	PLAIN_ENTRIES = 16384, /* written before room is worth a thought */
	PROBES_MAX = 64,
	NOWHERE = PS_STACK_LINK - 1, /* below the outermost frame */
};

static uint32_t *tail_slots;

void
ps_stack_tail_init(uint32_t *slots)
{
	tail_slots = slots;
}

static uint32_t
entry_at(uint32_t place)
{
	return *(const uint32_t *)ps_record_entry(PS_TABLE_STACK_FRAMES, place);
}

/* Do these frames stand there, and then the tail at `next`? */
static bool
is_tail_at(uint32_t place, const uint32_t *frames, uint32_t next)
{
	uint32_t count =
	    ps_peek(&ps_record->table[PS_TABLE_STACK_FRAMES].count);
	uint32_t behind = place + STRIDE;

	for (uint32_t i = 0; i < STRIDE; i++)
		if (entry_at(place + i) != frames[i])
			return false;
	if (next == NOWHERE || behind == next)
		return true;
	return behind < count && entry_at(behind) == (PS_STACK_LINK | next);
}

/* The slot of a tail, or the free one where it belongs; NULL: too crowded. */
static uint32_t *
slot_of(const uint32_t *frames, uint32_t next)
{
	uint64_t hash = next;

	for (uint32_t i = 0; i < STRIDE; i++) {
		hash = (hash ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		uint32_t *slot =
		    &tail_slots[(hash + i) & (PS_STACK_TAIL_SLOTS - 1)];

		if (*slot == 0 || is_tail_at(*slot - 1, frames, next))
			return slot;
	}
	return NULL;
}

/* Frames that are known as a tail, which is at *place. */
static uint32_t
known_tail(const uint32_t *frames, uint32_t depth, uint32_t *place)
{
	uint32_t known = 0;
	const uint32_t *slot;

	*place = NOWHERE;
	while (known + STRIDE <= depth) {
		slot = slot_of(frames + depth - known - STRIDE, *place);
		if (slot == NULL || *slot == 0)
			break;
		*place = *slot - 1;
		known += STRIDE;
	}
	return known;
}

/* What was written at `first` are new tails beyond the known one. */
static void
enter_tails(const uint32_t *frames, uint32_t depth, uint32_t known,
	    uint32_t place, uint32_t first)
{
	for (; known + STRIDE <= depth; known += STRIDE) {
		uint32_t at = depth - known - STRIDE;
		uint32_t *slot = slot_of(frames + at, place);

		if (slot == NULL)
			return;
		place = first + at;
		*slot = place + 1;
	}
}

uint32_t
ps_stack_tail_append_locked(const uint32_t *frames, uint32_t depth)
{
	bool is_plain =
	    ps_peek(&ps_record->table[PS_TABLE_STACK_FRAMES].count) <
	    PLAIN_ENTRIES;
	uint32_t place = NOWHERE;
	uint32_t known = is_plain ? 0 : known_tail(frames, depth, &place);
	uint32_t fresh = depth - known;
	uint32_t *entries;
	void *memory;
	uint32_t row;

	PS_ASSERT(ps_record_is_locked_by_me());
	PS_ASSERT(depth > 0 && depth <= PS_STACK_DEPTH_MAX);
	PS_ASSERT(known <= depth && (known > 0) == (place != NOWHERE));
	if (fresh == 0)
		return place;
	row = ps_record_append(PS_TABLE_STACK_FRAMES, fresh + (known > 0),
			       &memory);
	if (row == UINT32_MAX)
		return UINT32_MAX;
	PS_ASSERT(row < NOWHERE); /* with the bit of a link it is one */
	entries = memory;
	for (uint32_t i = 0; i < fresh; i++)
		entries[i] = frames[i];
	if (known > 0)
		entries[fresh] = PS_STACK_LINK | place;
	ps_record_publish(PS_TABLE_STACK_FRAMES);
	if (!is_plain)
		enter_tails(frames, depth, known, place, row);
	return row;
}
