/* SPDX-License-Identifier: MIT */
/*
 * starts - where in a range of jemalloc's a live block begins
 *
 * jemalloc looks a pointer up in its radix tree and trusts what it finds; for
 * an address inside a block that is zeros, for a freed one a class that does
 * not exist.  Its own checks of that are compiled out of the distribution's
 * archive, so they are done here: a bitmap of 1/32768 of the range, of which a
 * process touches a page for each 128 MiB that it uses.
 *
 * Costs: a locked instruction for an allocation and for a free.
 */
#include "base/os.h"
#include "pool/starts.h"

enum { GRAIN_SHIFT = 12, WORD_BITS = 64 };

void
ps_starts_init(struct ps_starts *s, uintptr_t base, size_t bytes)
{
	size_t map_bytes = ((bytes >> GRAIN_SHIFT) / WORD_BITS + 1) * 8;
	void *memory;

	PS_ASSERT(bytes == 0 || base % (1 << GRAIN_SHIFT) == 0);
	*s = (struct ps_starts){0};
	if (bytes == 0 || ps_os_map(2 * map_bytes, &memory) != 0)
		return;
	(void)ps_os_no_huge(memory, 2 * map_bytes); /* as sparse as it is */
	*s = (struct ps_starts){
	    .base = base,
	    .bytes = bytes,
	    .whole = memory,
	    .within = (_Atomic uint64_t *)((char *)memory + map_bytes),
	};
}

void
ps_starts_trim(struct ps_starts *s, size_t bytes)
{
	size_t before = ((s->bytes >> GRAIN_SHIFT) / WORD_BITS + 1) * 8;
	size_t after = ((bytes >> GRAIN_SHIFT) / WORD_BITS + 1) * 8;

	if (bytes >= s->bytes)
		return;
	s->bytes = bytes;
	after = PS_ROUND_UP(after, (size_t)4096);
	before &= ~(size_t)4095;
	if (after >= before)
		return;
	(void)ps_os_unmap((char *)s->whole + after, before - after);
	/* This one may begin within a page. */
	(void)ps_os_unmap(
	    (void *)PS_ROUND_UP((uintptr_t)s->within + after, (uintptr_t)4096),
	    before - after - 4096);
}

/* The word that has the block's bit; NULL when it is not covered. */
static _Atomic uint64_t *
word_of(const struct ps_starts *s, const void *block, uint64_t *bit)
{
	uintptr_t offset = (uintptr_t)block - s->base;
	size_t grain = offset >> GRAIN_SHIFT;
	bool is_whole = (offset & ((1 << GRAIN_SHIFT) - 1)) == 0;

	if (offset >= s->bytes)
		return NULL;
	PS_ASSERT(s->whole != NULL && s->within != NULL);
	*bit = UINT64_C(1) << grain % WORD_BITS;
	return (is_whole ? s->whole : s->within) + grain / WORD_BITS;
}

void
ps_starts_add(const struct ps_starts *s, const void *block)
{
	uint64_t bit;
	_Atomic uint64_t *word = word_of(s, block, &bit);

	if (word != NULL && (ps_peek(word) & bit) == 0)
		(void)atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
}

bool
ps_starts_drop(const struct ps_starts *s, const void *block)
{
	uint64_t bit;
	_Atomic uint64_t *word = word_of(s, block, &bit);

	if (word == NULL)
		return true;
	if (word - s->whole < s->within - s->whole)
		return (atomic_fetch_and_explicit(word, ~bit,
						  memory_order_relaxed) &
			bit) != 0;
	return (ps_peek(word) & bit) != 0;
}

bool
ps_starts_has(const struct ps_starts *s, const void *block)
{
	uint64_t bit;
	_Atomic uint64_t *word = word_of(s, block, &bit);

	return word == NULL || (ps_peek(word) & bit) != 0;
}
