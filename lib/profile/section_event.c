/* SPDX-License-Identifier: MIT */
/*
 * section_event - the last calls one by one, in a ring of the recording
 *
 * One ring a process, so that the last N calls are the last ones of all
 * threads; a place is taken by an atomic add, 5 to 20 ns, which only those pay
 * who asked for events.  A row's number is 0 while it is written and n + 1
 * after, so that a reader, also of a process that died in between, can tell.
 * A writer that is overtaken by a whole round of the ring could mix two
 * events; it would have to stand still for thousands of calls of the others.
 */
#include "profile/section_event.h"
#include "record/writer.h"

static struct ps_record_event *ring;
static uint64_t ring_mask;
static uint32_t wanted;
static _Atomic uint64_t next_number;

static uint32_t
power_of_two(uint32_t count)
{
	uint32_t power = 1;

	while (power < count)
		power *= 2;
	return power;
}

void
ps_section_events_init(uint32_t count)
{
	const struct ps_record_table *table =
	    &ps_record->table[PS_TABLE_EVENTS];
	uint32_t rows = power_of_two(PS_MIN(count, table->capacity));
	void *memory;

	ring = NULL;
	wanted = count;
	ps_poke(&next_number, 0);
	if (count == 0)
		return;
	ps_record_lock();
	if (ps_record_append(PS_TABLE_EVENTS, rows, &memory) != UINT32_MAX) {
		ring_mask = rows - 1;
		ps_record_publish(PS_TABLE_EVENTS);
		ring = memory;
	}
	ps_record_unlock();
}

void
ps_section_events_postfork_child(void)
{
	if (wanted > 0)
		ps_section_events_init(wanted);
}

bool
ps_section_events_are_on(void)
{
	return ring != NULL;
}

void
ps_section_event(uint32_t section, ps_ticks begun, uint64_t ticks, uint32_t tid,
		 bool is_span)
{
	struct ps_record_event *e;
	uint64_t number;

	if (ring == NULL) /* a child found no room for what its parent had */
		return;
	number =
	    atomic_fetch_add_explicit(&next_number, 1, memory_order_relaxed);
	e = &ring[number & ring_mask];
	ps_poke(&e->number, 0);
	/* release: pairs with the reader's acquire of the fields */
	atomic_thread_fence(memory_order_release);
	ps_poke(&e->begun, begun);
	ps_poke(&e->ticks, ticks);
	ps_poke(&e->section, section);
	ps_poke(&e->tid, tid);
	ps_poke(&e->is_span, is_span);
	/* release: a reader that sees the number sees the fields */
	atomic_store_explicit(&e->number, number + 1, memory_order_release);
}
