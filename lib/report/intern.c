/* SPDX-License-Identifier: MIT */
/*
 * intern - gives equal byte strings equal numbers
 *
 * Open addressing with linear probing, at most half full.  Growing takes new
 * arrays and gives back the old ones' pages.  The hash takes eight bytes at a
 * step (multiply and fold), because the keys are stacks of some hundred bytes;
 * a hostile recording can choose its keys and make a look-up long, but hashes
 * are compared before bytes are.
 */
#include <errno.h>
#include <string.h>

#include "report/intern.h"

enum { FIRST_SLOTS = 256 };
_Static_assert((FIRST_SLOTS & (FIRST_SLOTS - 1)) == 0, "a power of two");

static uint64_t
fold(uint64_t h, uint64_t word)
{
	unsigned __int128 product =
	    (unsigned __int128)(h ^ word) * 0x9e3779b97f4a7c15u;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
hash_of(const char *key, size_t length)
{
	uint64_t h = fold(0x243f6a8885a308d3u, length);
	uint64_t word;

	for (; length >= sizeof(word); key += sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = fold(h, word);
		length -= sizeof(word);
	}
	word = 0;
	memcpy(&word, key, length);
	return fold(h, word + 1);
}

void
ps_intern_init(struct ps_intern *set, struct ps_scratch *scratch,
	       bool has_copies, size_t value_bytes)
{
	*set = (struct ps_intern){
	    .scratch = scratch,
	    .has_copies = has_copies,
	    .value_bytes = value_bytes,
	};
}

/* The slot of a key, or the free one where it belongs. */
static uint32_t *
slot_of(const struct ps_intern *set, const struct ps_intern_key *key)
{
	uint32_t mask = set->slot_count - 1;

	PS_ASSERT(set->count < set->slot_count);
	PS_ASSERT((set->slot_count & mask) == 0); /* a power of two */
	for (uint32_t i = (uint32_t)key->hash & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &set->slots[i];
		const struct ps_intern_key *known;

		if (*slot == 0)
			return slot;
		known = &set->keys[*slot - 1];
		if (known->hash == key->hash && known->length == key->length &&
		    memcmp(known->bytes, key->bytes, key->length) == 0)
			return slot;
	}
}

static void
release(struct ps_intern *set)
{
	size_t keys = set->slot_count / 2;

	ps_scratch_release(set->slots, set->slot_count * sizeof(*set->slots));
	ps_scratch_release(set->keys, keys * sizeof(*set->keys));
	ps_scratch_release(set->values, keys * set->value_bytes);
}

static int
grow(struct ps_intern *set)
{
	struct ps_intern larger = *set;

	PS_ASSERT(set->scratch != NULL);
	larger.slot_count =
	    set->slot_count == 0 ? FIRST_SLOTS : set->slot_count * 2;
	if (larger.slot_count == 0)
		return -ENOMEM;
	larger.slots = ps_scratch_alloc(
	    set->scratch, (size_t)larger.slot_count * sizeof(*larger.slots));
	larger.keys = ps_scratch_alloc(
	    set->scratch, (size_t)larger.slot_count / 2 * sizeof(*larger.keys));
	larger.values = ps_scratch_alloc(
	    set->scratch, (size_t)larger.slot_count / 2 * set->value_bytes);
	if (larger.slots == NULL || larger.keys == NULL ||
	    larger.values == NULL)
		return -ENOMEM;
	if (set->count > 0)
		memcpy(larger.values, set->values,
		       set->count * set->value_bytes);
	for (uint32_t i = 0; i < set->count; i++) {
		larger.keys[i] = set->keys[i];
		*slot_of(&larger, &set->keys[i]) = i + 1;
	}
	PS_ASSERT(larger.count <= larger.slot_count / 2);
	release(set);
	*set = larger;
	return 0;
}

int
ps_intern(struct ps_intern *set, const void *bytes, size_t length,
	  uint32_t *number)
{
	struct ps_intern_key key = {
	    .bytes = bytes,
	    .hash = hash_of(bytes, length),
	    .length = (uint32_t)length,
	};
	uint32_t *slot;
	void *copy;

	PS_ASSERT(length <= INT32_MAX);
	if (set->count == set->slot_count / 2 && grow(set) != 0)
		return -ENOMEM;
	slot = slot_of(set, &key);
	if (*slot != 0) {
		*number = *slot - 1;
		return 0;
	}
	if (set->has_copies) {
		copy = ps_scratch_alloc(set->scratch, length + 1);
		if (copy == NULL)
			return -ENOMEM;
		memcpy(copy, bytes, length);
		key.bytes = copy;
	}
	set->keys[set->count] = key;
	*number = set->count++;
	*slot = set->count;
	return 1;
}
