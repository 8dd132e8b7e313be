/* SPDX-License-Identifier: MIT */
/*
 * poison - freed blocks that wait, full of a pattern, before they are used
 * again
 *
 * A ring of the blocks in the order of their freeing, bounded in number and in
 * bytes.  0xdf in a pointer is no address of a program's, and as a number it is
 * neither small nor zero, so a reader of freed memory does not go far.
 */
#include <string.h>

#include "base/lock.h"
#include "pool/poison.h"

enum {
	MARK = 0xfd,
	POISON = 0xdf,
	WAITING_MAX = 16384,
	WAITING_BYTES = 32 << 20,
};

static struct ps_lock lock;
static struct ps_poisoned *ring; /* mapped when first used */
static uint32_t first;
static uint32_t count;
static size_t waiting_bytes;

/* The first byte that is not `fill`, eight at a time where they are aligned. */
static const void *
find_other(const void *at, size_t bytes, unsigned char fill)
{
	const unsigned char *byte = at;
	const unsigned char *end = byte + bytes;
	uint64_t eight;

	memset(&eight, fill, sizeof(eight));
	while (byte < end && *byte == fill) {
		if ((uintptr_t)byte % 8 != 0 || end - byte < 8) {
			byte++;
			continue;
		}
		while (end - byte >= 8 && *(const uint64_t *)byte == eight)
			byte += 8;
		if (end - byte >= 8)
			while (*byte == fill)
				byte++;
	}
	return byte < end ? byte : NULL;
}

void
ps_fence_put(void *at, size_t bytes)
{
	memset(at, MARK, bytes);
}

const void *
ps_fence_damage(const void *at, size_t bytes)
{
	return find_other(at, bytes, MARK);
}

static bool
have_ring(void)
{
	void *memory;

	if (ring == NULL &&
	    ps_os_map(WAITING_MAX * sizeof(*ring), &memory) == 0)
		ring = memory;
	return ring != NULL;
}

static void
take_oldest(struct ps_poisoned *out)
{
	PS_ASSERT(count > 0);
	*out = ring[first];
	first = (first + 1) % WAITING_MAX;
	count--;
	PS_ASSERT(waiting_bytes >= out->bytes);
	waiting_bytes -= out->bytes;
}

bool
ps_poison_put(const struct ps_poisoned *p, struct ps_poisoned *oldest)
{
	bool is_out = false;

	memset(p->block, POISON, p->bytes);
	ps_lock_take(&lock);
	if (!have_ring()) {
		ps_lock_give(&lock);
		*oldest = *p;
		return true;
	}
	if (count == WAITING_MAX ||
	    (count > 0 && waiting_bytes + p->bytes > WAITING_BYTES)) {
		take_oldest(oldest);
		is_out = true;
	}
	ring[(first + count) % WAITING_MAX] = *p;
	count++;
	waiting_bytes += p->bytes;
	ps_lock_give(&lock);
	return is_out;
}

const void *
ps_poison_damage(const struct ps_poisoned *p)
{
	return find_other(p->block, p->bytes, POISON);
}

bool
ps_poison_find(const void *block, struct ps_poisoned *out)
{
	bool is_found = false;

	ps_lock_take(&lock);
	for (uint32_t i = 0; i < count && !is_found; i++) {
		const struct ps_poisoned *p = &ring[(first + i) % WAITING_MAX];

		is_found = p->block == block;
		if (is_found)
			*out = *p;
	}
	ps_lock_give(&lock);
	return is_found;
}

bool
ps_poison_take(struct ps_poisoned *out)
{
	bool is_there;

	ps_lock_take(&lock);
	is_there = count > 0;
	if (is_there)
		take_oldest(out);
	ps_lock_give(&lock);
	return is_there;
}

bool
ps_poison_comes_free(void)
{
	return ps_lock_comes_free(&lock);
}

void
ps_poison_prefork(void)
{
	ps_lock_take(&lock);
}

/* In the child, too: its one thread is the one that took it. */
void
ps_poison_postfork(void)
{
	ps_lock_give(&lock);
}
