/* SPDX-License-Identifier: MIT */
/*
 * unwind_cache - what the decoder said about an address, remembered
 *
 * A hash table that is read without a lock: an entry's key is written last, and
 * cleared before its slot is used again, so an entry whose key is the same
 * before and after its rule was read is whole.  Keys carry the generation,
 * which a dlclose moves on; so all rules of before are forgotten at once.
 *
 * The decoder is guarded by a lock that nobody waits for in earnest: who does
 * not get it within some thousand pauses (it is held for about a microsecond)
 * stops.  So a signal handler that interrupted the decoder cannot hang.
 */
#include <string.h>

#include "base/lock.h"
#include "base/os.h"
#include "shim/unwind.h"
#include "shim/unwind_cache.h"

enum {
	ENTRIES = 32768,
	PROBES = 8,
	DECODE_STACK_BYTES = 12288, /* libunwind needs up to 7 KiB */
	LOCK_TRIES = 20000,
	KEY_GENERATION_SHIFT = 49, /* above pc << 1 | is_exact */
};

enum { RULE_WORDS = 2 };

/* The rule's words are read and written between two looks at the key. */
struct entry {
	_Atomic uint64_t key;
	_Atomic uint64_t rule[RULE_WORDS];
	uint64_t reserved;
};
_Static_assert(sizeof(struct ps_rule) == RULE_WORDS * sizeof(uint64_t),
	       "fills the words");
_Static_assert(sizeof(struct entry) == 32, "two a cache line");

static struct entry *table;
static _Atomic uint64_t generation;
static struct ps_lock decoder;

int
ps_unwind_cache_init(void)
{
	void *memory;
	int error = ps_os_map(ENTRIES * sizeof(*table), &memory);

	if (error == 0)
		table = memory;
	return error;
}

bool
ps_unwind_cache_is_on(void)
{
	return table != NULL;
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
	ps_lock_take(&decoder);
}

void
ps_unwind_postfork(void)
{
	ps_lock_init(&decoder);
}

static inline uint64_t
key_of(uintptr_t pc, bool is_exact)
{
	return ((uint64_t)pc << 1 | is_exact) ^ ps_peek(&generation)
						    << KEY_GENERATION_SHIFT;
}

/* Addresses of one function fall close together: few pages are touched. */
static inline uint32_t
slot_of(uint64_t key)
{
	return (uint32_t)(key >> 2 ^ key >> 17) & (ENTRIES - 1);
}

/* Whether the rule was there. */
static inline bool
look_up(uint64_t key, struct ps_rule *out)
{
	uint32_t slot = slot_of(key);
	uint64_t words[RULE_WORDS];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *e = &table[(slot + i) & (ENTRIES - 1)];

		/* Acquire pairs with the releases of enter(): who sees a
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

/* The slot's first free or outdated entry; the first of all when crowded. */
static void
enter(uint64_t key, const struct ps_rule *rule)
{
	uint32_t slot = slot_of(key);
	struct entry *e = &table[slot];
	uint64_t words[RULE_WORDS];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *at = &table[(slot + i) & (ENTRIES - 1)];

		if (!is_of_this_generation(ps_peek(&at->key))) {
			e = at;
			break;
		}
	}
	memcpy(words, rule, sizeof(words));
	ps_poke(&e->key, 0);
	for (int w = 0; w < RULE_WORDS; w++)
		atomic_store_explicit(&e->rule[w], words[w],
				      memory_order_release);
	atomic_store_explicit(&e->key, key, memory_order_release);
}

static bool
take_decoder(void)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (ps_lock_try(&decoder))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static PS_COLD bool
decode(uintptr_t pc, bool is_exact, uintptr_t stack_low, struct ps_rule *out)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	/* Taken first: a flush meanwhile outdates what is decoded. */
	uint64_t key = key_of(pc, is_exact);

	/* libunwind blocks signals meanwhile, which a sandbox may forbid. */
	if (here - stack_low < DECODE_STACK_BYTES ||
	    ps_os_are_calls_limited() || !take_decoder())
		return false;
	ps_unwind_decode(pc, is_exact, out);
	enter(key, out);
	ps_lock_give(&decoder);
	return true;
}

bool
ps_unwind_rule(uintptr_t pc, bool is_exact, uintptr_t stack_low,
	       struct ps_rule *out)
{
	return ps_likely(look_up(key_of(pc, is_exact), out)) ||
	       decode(pc, is_exact, stack_low, out);
}
