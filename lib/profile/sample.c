/* SPDX-License-Identifier: MIT */
/*
 * sample - the blocks that were picked, while they live
 *
 * Samples live in chunks that are mapped as needed and never given back; free
 * ones are a stack with a tagged head (index and a counter in one word, so that
 * a pop cannot be fooled by a pop and push in between).
 *
 * The table for blocks outside the pool is in 64 stripes, each with a spin lock
 * and heads of its own, from which samples are chained.  A stripe begins with
 * 16 heads, all stripes' in one page, and takes sixteen times as many when it
 * has more samples than heads; one table of 65536 heads, touched at random,
 * cost a page fault for most samples of a short run.  When no such sample
 * lives, a free costs one load.
 *
 * A thread may fork while another one is in a stripe.  What the child finds
 * then has every link within what is mapped, and none in a circle: one word has
 * both where the heads are and how many, and a chain ends wherever one enters
 * it.  A sample can be lost; it is one of the parent's.
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
	STRIPES = 64,
	STRIPE_BITS = 6,
	FIRST_BITS = 4, /* 16 heads of a stripe */
	GROWTH_BITS = 4,
	BITS_MOST = 16,
	BITS_MASK = 31, /* heads are aligned to more */
};
_Static_assert(STRIPES == 1 << STRIPE_BITS, "what a hash is shifted by");
_Static_assert(BITS_MOST <= BITS_MASK, "any number of them fits the mask");

struct ps_sample {
	struct ps_birth birth;
	uintptr_t block;
	_Atomic uint32_t next; /* of free samples, or of a hash chain */
};

enum { NONE = 0 }; /* no sample has index 0 */

static PS_BIG struct ps_sample *_Atomic chunks[CHUNKS];
static _Atomic uint32_t made = 1;  /* index 0 is "none" */
static _Atomic uint64_t free_head; /* tag << 32 | index */
static _Atomic uint64_t hashed;

/* All under the lock. */
struct stripe {
	struct ps_lock lock;
	uint32_t samples;
	_Atomic uintptr_t heads; /* address | bits of their count; 0: none */
};
static struct stripe stripes[STRIPES];
static _Atomic uint32_t first_heads[STRIPES][1 << FIRST_BITS]
    __attribute__((aligned(4096)));
_Static_assert(sizeof(first_heads) == 4096, "all stripes' in one page");
_Static_assert(sizeof(first_heads[0]) > BITS_MASK, "aligned to more than bits");
static PS_FORKED uint32_t epoch;

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

/* Counted once there is room for it: a number that was taken and given back
 * could be taken by two, one of whom found the next chunk mapped. */
static uint32_t
next_index(void)
{
	uint32_t index = ps_peek(&made);

	do {
		if (!map_chunk(index / CHUNK_SAMPLES))
			return NONE;
	} while (!atomic_compare_exchange_weak(&made, &index, index + 1));
	return index;
}

static uint32_t
new_sample(struct ps_sample **out)
{
	uint32_t index = pop_free();

	if (index == NONE)
		index = next_index();
	if (index != NONE)
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
hash_of(uintptr_t block)
{
	return (uint32_t)((block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static struct stripe *
lock_stripe(uint32_t hash)
{
	struct stripe *s = &stripes[hash % STRIPES];

	ps_lock_take(&s->lock);
	if (ps_unlikely(ps_peek(&s->heads) == 0))
		ps_poke(&s->heads,
			(uintptr_t)first_heads[hash % STRIPES] | FIRST_BITS);
	return s;
}

static _Atomic uint32_t *
head_of(uintptr_t heads, uint32_t hash)
{
	uint32_t mask = ((uint32_t)1 << (heads & BITS_MASK)) - 1;

	PS_DEBUG_ASSERT(heads > BITS_MASK && mask != 0);
	return (_Atomic uint32_t *)(heads & ~(uintptr_t)BITS_MASK) +
	       ((hash >> STRIPE_BITS) & mask);
}

static void
chain(uintptr_t heads, uint32_t index)
{
	struct ps_sample *sample = sample_at(index);
	_Atomic uint32_t *head = head_of(heads, hash_of(sample->block));

	ps_poke(&sample->next, ps_peek(head));
	ps_poke(head, index);
}

static void
move_chain(uint32_t index, uintptr_t heads)
{
	uint32_t next;

	for (; index != NONE; index = next) {
		next = ps_peek(&sample_at(index)->next);
		chain(heads, index);
	}
}

/* Without memory for more heads, chains grow longer. */
static PS_COLD void
grow(struct stripe *s)
{
	uintptr_t before = ps_peek(&s->heads);
	uintptr_t bits = (before & BITS_MASK) + GROWTH_BITS;
	_Atomic uint32_t *heads = head_of(before, 0);
	size_t count = (size_t)1 << (before & BITS_MASK);
	void *memory;

	if (bits > BITS_MOST ||
	    ps_os_map(sizeof(uint32_t) << bits, &memory) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		move_chain(ps_peek(&heads[i]), (uintptr_t)memory | bits);
	/* pairs with a fork: all chains are made */
	atomic_store_explicit(&s->heads, (uintptr_t)memory | bits,
			      memory_order_release);
	if (count > 1 << FIRST_BITS)
		(void)ps_os_unmap((void *)heads, count * sizeof(*heads));
}

bool
ps_sample_keep(uintptr_t block, const struct ps_birth *birth)
{
	struct ps_sample *sample;
	uint32_t index = new_sample(&sample);
	struct stripe *s;

	if (index == NONE)
		return false;
	sample->birth = *birth;
	sample->block = block;
	s = lock_stripe(hash_of(block));
	if (s->samples++ >> (ps_peek(&s->heads) & BITS_MASK) != 0)
		grow(s);
	chain(ps_peek(&s->heads), index);
	ps_lock_give(&s->lock);
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
	struct stripe *s;
	uint32_t index;

	if (ps_peek(&hashed) == 0)
		return false;
	s = lock_stripe(hash_of(block));
	index = unchain(head_of(ps_peek(&s->heads), hash_of(block)), block);
	PS_DEBUG_ASSERT(index == NONE || s->samples > 0);
	s->samples -= index != NONE;
	ps_lock_give(&s->lock);
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
		ps_lock_init(&stripes[i].lock);
	if (epoch < PS_EPOCH_LAST)
		epoch++;
}

uint32_t
ps_sample_epoch(void)
{
	return epoch;
}
