/* SPDX-License-Identifier: MIT */
/*
 * sample - the blocks that were picked, while they live
 *
 * Samples live in chunks that are mapped as needed and never given back; free
 * ones are a stack with a tagged head (index and a counter in one word, so that
 * a pop cannot be fooled by a pop and push in between).  The table for blocks
 * outside the pool chains samples from 65536 heads; a spin lock guards each of
 * 64 stripes.  When no such sample lives, a free costs one load.
 */
#include "base/float_state.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/random.h"
#include "measure/real.h"
#include "profile/sample.h"

enum {
	CHUNK_SAMPLES = 4096,
	CHUNKS = 8192, /* 32 M samples */
	HEADS = 65536,
	STRIPES = 64,
};

struct ps_sample {
	struct ps_birth birth;
	uintptr_t block;
	_Atomic uint32_t next; /* of free samples, or of a hash chain */
};

enum { NONE = 0 }; /* no sample has index 0 */

static struct ps_sample *_Atomic chunks[CHUNKS];
static _Atomic uint32_t made = 1;  /* index 0 is "none" */
static _Atomic uint64_t free_head; /* tag << 32 | index */
static _Atomic(_Atomic uint32_t *) heads;
static struct ps_lock stripes[STRIPES];
static _Atomic uint64_t hashed;
static uint32_t epoch;

static PS_NOINLINE uint64_t
draw(uint64_t *random, double mean_bytes)
{
	double bytes = -ps_log(ps_random_unit(random)) * mean_bytes;

	PS_ASSERT(bytes >= 0.0);
	return (uint64_t)bytes + 1;
}

uint64_t
ps_sample_draw(uint64_t *random, double mean_bytes)
{
	struct ps_float_state before = ps_float_begin();
	uint64_t bytes = draw(random, mean_bytes);

	ps_float_end(before);
	return bytes;
}

static struct ps_sample *
sample_at(uint32_t index)
{
	struct ps_sample *chunk = atomic_load_explicit(
	    &chunks[index / CHUNK_SAMPLES], memory_order_acquire);

	PS_ASSERT(index != NONE && chunk != NULL);
	return &chunk[index % CHUNK_SAMPLES];
}

static bool
map_chunk(uint32_t number)
{
	struct ps_sample *none = NULL;
	void *memory;

	if (number >= CHUNKS)
		return false;
	if (ps_peek(&chunks[number]) != NULL)
		return true;
	if (ps_os_map(CHUNK_SAMPLES * sizeof(struct ps_sample), &memory) != 0)
		return false;
	if (!atomic_compare_exchange_strong(&chunks[number], &none, memory))
		(void)ps_os_unmap(memory,
				  CHUNK_SAMPLES * sizeof(struct ps_sample));
	return true;
}

static uint32_t
pop_free(void)
{
	uint64_t head = atomic_load_explicit(&free_head, memory_order_acquire);
	uint64_t next;

	do {
		if ((uint32_t)head == NONE)
			return NONE;
		/* Maybe no longer free: then the tag has moved on. */
		next = ((head >> 32) + 1) << 32 |
		       ps_peek(&sample_at((uint32_t)head)->next);
	} while (!atomic_compare_exchange_weak(&free_head, &head, next));
	return (uint32_t)head;
}

static uint32_t
new_sample(struct ps_sample **out)
{
	uint32_t index = pop_free();

	if (index == NONE) {
		index = atomic_fetch_add(&made, 1);
		if (!map_chunk(index / CHUNK_SAMPLES)) {
			atomic_fetch_sub(&made, 1);
			return NONE;
		}
	}
	*out = sample_at(index);
	return index;
}

static void
drop(uint32_t index)
{
	struct ps_sample *sample = sample_at(index);
	uint64_t head = ps_peek(&free_head);
	uint64_t next;

	do {
		ps_poke(&sample->next, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 | index;
	} while (!atomic_compare_exchange_weak(&free_head, &head, next));
}

/* ---- blocks outside the pool -------------------------------------------- */

static uint32_t
head_of(uintptr_t block)
{
	return (uint32_t)((block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48) &
	       (HEADS - 1);
}

static bool
have_heads(void)
{
	_Atomic uint32_t *none = NULL;
	void *memory;

	if (ps_peek(&heads) != NULL)
		return true;
	if (ps_os_map(HEADS * sizeof(uint32_t), &memory) != 0)
		return false;
	if (!atomic_compare_exchange_strong(&heads, &none, memory))
		(void)ps_os_unmap(memory, HEADS * sizeof(uint32_t));
	return true;
}

bool
ps_sample_keep(uintptr_t block, const struct ps_birth *birth)
{
	uint32_t h = head_of(block);
	struct ps_lock *stripe = &stripes[h % STRIPES];
	struct ps_sample *sample;
	uint32_t index;

	if (!have_heads())
		return false;
	index = new_sample(&sample);
	if (index == NONE)
		return false;
	sample->birth = *birth;
	sample->block = block;
	ps_lock_take(stripe);
	ps_poke(&sample->next, ps_peek(&ps_peek(&heads)[h]));
	ps_poke(&ps_peek(&heads)[h], index);
	ps_lock_give(stripe);
	atomic_fetch_add(&hashed, 1);
	return true;
}

static uint32_t
unchain(_Atomic uint32_t *link, uintptr_t block)
{
	uint32_t index;

	while ((index = ps_peek(link)) != NONE) {
		struct ps_sample *sample = sample_at(index);

		if (sample->block == block) {
			ps_poke(link, ps_peek(&sample->next));
			return index;
		}
		link = &sample->next;
	}
	return NONE;
}

bool
ps_sample_take(uintptr_t block, struct ps_birth *out)
{
	uint32_t h = head_of(block);
	struct ps_lock *stripe = &stripes[h % STRIPES];
	uint32_t index;

	if (ps_peek(&hashed) == 0)
		return false;
	ps_lock_take(stripe);
	index = unchain(&ps_peek(&heads)[h], block);
	ps_lock_give(stripe);
	if (index == NONE)
		return false;
	*out = sample_at(index)->birth;
	drop(index);
	atomic_fetch_sub(&hashed, 1);
	return true;
}

void
ps_sample_postfork_child(void)
{
	for (unsigned i = 0; i < STRIPES; i++)
		ps_lock_init(&stripes[i]);
	epoch = (epoch + 1) & 0xff;
}

uint32_t
ps_sample_epoch(void)
{
	return epoch;
}
