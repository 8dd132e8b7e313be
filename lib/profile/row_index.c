/* SPDX-License-Identifier: MIT */
/*
 * row_index - from a hash to a row of the recording
 *
 * Open-addressed.  A slot is written once, with release, after its row is
 * complete, so that a look-up needs no lock.
 *
 * Tables begin with a page and grow fourfold when half full.  One of the final
 * size is simpler, but a program's first few hundred stacks then fall on as
 * many pages: 182 samples of a program of 60 ms cost 320 page faults, 1.2 %.
 *
 * Each size has its place in one range, that of 2^n slots at slot 2^n, and is
 * left as it is once it was replaced.  Who still looks there finds what was
 * entered before, or nothing, and then looks again under the lock.
 */
#include "profile/row_index.h"

enum { FIRST_BITS = 10, GROWTH_BITS = 2 };
_Static_assert(PS_ROW_PROBES_MAX <= 1 << FIRST_BITS, "each slot once");

void
ps_row_index_init(struct ps_row_index *index, _Atomic uint32_t *slots,
		  uint32_t bits_max)
{
	PS_ASSERT(bits_max >= FIRST_BITS && bits_max < 31);
	index->slots = slots;
	index->bits_max = bits_max;
	index->used = 0;
	ps_poke(&index->bits, FIRST_BITS);
}

static void
carry_over(const struct ps_row_table *to, uint64_t hash, uint32_t row)
{
	_Atomic uint32_t *slot;
	uint32_t i = 0;

	do {
		PS_ASSERT(i <= to->mask); /* it has room for more */
		slot = ps_row_table_slot(to, hash, i++);
	} while (ps_peek(slot) != 0);
	ps_poke(slot, row + 1);
}

void
ps_row_index_make_room(struct ps_row_index *index,
		       uint64_t (*hash_of)(uint32_t row))
{
	struct ps_row_table table = ps_row_index_table(index);
	uint32_t bits = ps_peek(&index->bits) + GROWTH_BITS;
	struct ps_row_table larger;

	bits = PS_MIN(bits, index->bits_max);
	if (ps_likely(index->used <= table.mask / 2) ||
	    bits == ps_peek(&index->bits))
		return;
	larger = ps_row_table_of_bits(index, bits);
	for (uint32_t i = 0; i <= table.mask; i++) {
		uint32_t known = ps_peek(&table.slots[i]);

		if (known != 0)
			carry_over(&larger, hash_of(known - 1), known - 1);
	}
	atomic_store_explicit(&index->bits, bits, memory_order_release);
}

void
ps_row_index_enter(struct ps_row_index *index, _Atomic uint32_t *slot,
		   uint32_t row)
{
	PS_ASSERT(ps_peek(slot) == 0);
	PS_ASSERT(row != UINT32_MAX); /* row + 1 would be an empty slot */
	PS_ASSERT(index->used <= ((uint32_t)1 << index->bits_max));
	index->used++;
	atomic_store_explicit(slot, row + 1, memory_order_release);
}
