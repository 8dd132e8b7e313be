/* SPDX-License-Identifier: MIT */
/*
 * unwind_cache - what the decoder said about an address, remembered
 *
 * A hash table that is read without a lock: an entry's key is written last, and
 * cleared before its slot is used again, so an entry whose key is the same
 * before and after its rule was read is whole.  Keys carry the generation,
 * which a dlclose moves on; so all rules of before are forgotten at once.
 *
 * The table begins with two pages and doubles when five eighths of it are used,
 * each size in a place of its own, 2^n entries at entry 2^n; one that was
 * replaced stays as it was for who still reads it.  In one of the final size,
 * the first few hundred addresses fall on as many pages: 300 page faults in
 * 0.1 s of a compiler, which a fourfold growth, begun whenever neighbours had
 * filled a place, still made 20 of.
 *
 * Who writes holds a lock that nobody waits for: what is decoded while somebody
 * else, or the code that a signal handler interrupted, has it is used and not
 * remembered.
 */
#include <string.h>

#include "base/lock.h"
#include "base/os.h"
#include "shim/unwind.h"
#include "shim/unwind_cache.h"

enum {
	FIRST_BITS = 8,
	GROWTH_BITS = 1,
	BITS_MAX = 16,
	PROBES = 8,
	DECODE_STACK_BYTES = 4096, /* twice what it takes */
	KEY_GENERATION_SHIFT = 49, /* above pc << 1 | is_exact */
};

enum { RULE_WORDS = 2 };

#define MIX UINT64_C(0x9e3779b97f4a7c15) /* 2^64 by the golden ratio */

/* The rule's words are read and written between two looks at the key. */
struct entry {
	_Atomic uint64_t key;
	_Atomic uint64_t rule[RULE_WORDS];
	uint64_t reserved;
};
_Static_assert(sizeof(struct ps_rule) == RULE_WORDS * sizeof(uint64_t),
	       "fills the words");
_Static_assert(sizeof(struct entry) == 32, "two a cache line");

static struct entry *entries; /* 2 << BITS_MAX */
static _Atomic uint32_t bits = FIRST_BITS;
static uint32_t used; /* of the table as it is */
static _Atomic uint64_t generation;
static struct ps_lock writer;

int
ps_unwind_cache_init(void)
{
	void *memory;
	int error =
	    ps_os_map(((size_t)2 << BITS_MAX) * sizeof(*entries), &memory);

	if (error == 0)
		entries = memory;
	return error;
}

bool
ps_unwind_cache_is_on(void)
{
	return entries != NULL;
}

uint64_t
ps_unwind_generation(void)
{
	return ps_peek(&generation);
}

void
ps_unwind_flush(void)
{
	atomic_fetch_add(&generation, 1);
}

void
ps_unwind_prefork(void)
{
	ps_lock_take(&writer);
}

void
ps_unwind_postfork(void)
{
	ps_lock_init(&writer);
}

static inline uint64_t
key_of(uintptr_t pc, bool is_exact)
{
	return ((uint64_t)pc << 1 | is_exact) ^ ps_peek(&generation)
						    << KEY_GENERATION_SHIFT;
}

/* Place i of the few where the key may be. */
static inline struct entry *
place_of(uint64_t key, uint32_t table_bits, uint32_t i)
{
	uint32_t size = (uint32_t)1 << table_bits;

	return &entries[size +
			(((key * MIX >> (64 - table_bits)) + i) & (size - 1))];
}

/* Whether the rule was there. */
static inline bool
look_up(uint64_t key, struct ps_rule *out)
{
	/* pairs with the release in grow() */
	uint32_t now = atomic_load_explicit(&bits, memory_order_acquire);
	uint64_t words[RULE_WORDS];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *e = place_of(key, now, i);

		/* Acquire pairs with the releases of put(): who sees a
		 * word of a later rule sees that the key has changed. */
		if (atomic_load_explicit(&e->key, memory_order_acquire) != key)
			continue;
		for (int w = 0; w < RULE_WORDS; w++)
			words[w] = atomic_load_explicit(&e->rule[w],
							memory_order_acquire);
		memcpy(out, words, sizeof(*out));
		return ps_peek(&e->key) == key;
	}
	return false;
}

static bool
is_of_this_generation(uint64_t key)
{
	return key != 0 &&
	       (key ^ ps_peek(&generation) << KEY_GENERATION_SHIFT) >>
		       KEY_GENERATION_SHIFT ==
		   0;
}

static void
put(struct entry *e, uint64_t key, const uint64_t *words)
{
	used += ps_peek(&e->key) == 0;
	ps_poke(&e->key, 0);
	for (int w = 0; w < RULE_WORDS; w++)
		atomic_store_explicit(&e->rule[w], words[w],
				      memory_order_release);
	atomic_store_explicit(&e->key, key, memory_order_release);
}

/* The first free or outdated place; NULL when there is none. */
static struct entry *
free_place(uint64_t key, uint32_t table_bits)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *e = place_of(key, table_bits, i);

		if (!is_of_this_generation(ps_peek(&e->key)))
			return e;
	}
	return NULL;
}

/* What finds no place in the larger table is decoded again. */
static void
grow(uint32_t from, uint32_t to)
{
	used = 0;
	for (uint32_t i = 0; i < (uint32_t)1 << from; i++) {
		const struct entry *e = &entries[((size_t)1 << from) + i];
		uint64_t key = ps_peek(&e->key);
		uint64_t words[RULE_WORDS];
		struct entry *place = free_place(key, to);

		if (!is_of_this_generation(key) || place == NULL)
			continue;
		for (int w = 0; w < RULE_WORDS; w++)
			words[w] = ps_peek(&e->rule[w]);
		put(place, key, words);
	}
	atomic_store_explicit(&bits, to, memory_order_release);
}

/* The writer's lock is held. */
static void
enter(uint64_t key, const struct ps_rule *rule)
{
	uint32_t now = ps_peek(&bits);
	struct entry *place = free_place(key, now);
	uint64_t words[RULE_WORDS];

	if (now < BITS_MAX && used >= ((uint32_t)5 << now) / 8) {
		grow(now, now + GROWTH_BITS);
		now += GROWTH_BITS;
		place = free_place(key, now);
	}
	memcpy(words, rule, sizeof(words));
	put(place != NULL ? place : place_of(key, now, 0), key, words);
}

_Static_assert((BITS_MAX - FIRST_BITS) % GROWTH_BITS == 0, "ends there");

static PS_COLD bool
decode(uintptr_t pc, bool is_exact, uintptr_t stack_low, struct ps_rule *out)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	/* Taken first: a flush meanwhile outdates what is decoded. */
	uint64_t key = key_of(pc, is_exact);

	if (here - stack_low < DECODE_STACK_BYTES)
		return false;
	ps_unwind_decode(pc, is_exact, out);
	if (ps_lock_try(&writer)) {
		enter(key, out);
		ps_lock_give(&writer);
	}
	return true;
}

bool
ps_unwind_rule(uintptr_t pc, bool is_exact, uintptr_t stack_low,
	       struct ps_rule *out)
{
	return ps_likely(look_up(key_of(pc, is_exact), out)) ||
	       decode(pc, is_exact, stack_low, out);
}
