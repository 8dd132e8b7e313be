/* SPDX-License-Identifier: MIT */
/*
 * row_index - from a hash to a row of the recording
 *
 * Looked up by any thread without a lock; entered, grown and reset by one at a
 * time, which the caller sees to.
 */
#ifndef PS_ROW_INDEX_H
#define PS_ROW_INDEX_H

#include "base/base.h"

struct ps_row_index {
	_Atomic uint32_t *slots; /* PS_ROW_INDEX_SLOTS(bits_max), zero */
	_Atomic uint32_t bits;	 /* of the table in use */
	uint32_t bits_max;
	uint32_t used;
};

/* What the tables of all sizes need. */
#define PS_ROW_INDEX_SLOTS(bits_max) ((size_t)2 << (bits_max))

/* A slot holds row + 1; 0 is an empty one, behind which nothing is found. */
struct ps_row_table {
	_Atomic uint32_t *slots;
	uint32_t mask;
};

enum { PS_ROW_PROBES_MAX = 256 };

static inline struct ps_row_table
ps_row_table_of_bits(const struct ps_row_index *index, uint32_t bits)
{
	PS_DEBUG_ASSERT(bits > 0 && bits <= index->bits_max);
	return (struct ps_row_table){index->slots + ((size_t)1 << bits),
				     ((uint32_t)1 << bits) - 1};
}

/* The table as it is now; what is entered after that may be in another. */
static inline struct ps_row_table
ps_row_index_table(const struct ps_row_index *index)
{
	/* pairs with the release in ps_row_index_make_room */
	return ps_row_table_of_bits(
	    index, atomic_load_explicit(&index->bits, memory_order_acquire));
}

/* The place to look at in turn, for i below PS_ROW_PROBES_MAX. */
static inline _Atomic uint32_t *
ps_row_table_slot(const struct ps_row_table *table, uint64_t hash, uint32_t i)
{
	return &table->slots[(uint32_t)(hash + i) & table->mask];
}

/* slots: PS_ROW_INDEX_SLOTS(bits_max) zeros that stay the caller's. */
void ps_row_index_init(struct ps_row_index *index, _Atomic uint32_t *slots,
		       uint32_t bits_max);

/* Before looking for the slot of what is entered: a table that is half full is
 * replaced by a larger one.  hash_of gives the hash that a row is found by. */
void ps_row_index_make_room(struct ps_row_index *index,
			    uint64_t (*hash_of)(uint32_t row));

/* The row is complete, and the slot the empty one that the look-up ended at. */
void ps_row_index_enter(struct ps_row_index *index, _Atomic uint32_t *slot,
			uint32_t row);

#endif /* PS_ROW_INDEX_H */
