/* SPDX-License-Identifier: MIT */
/*
 * scratch - bump allocation on blocks of pages
 *
 * Pages come zeroed from the system and a byte is handed out once, so memory
 * is zero without clearing it.  A request that does not fit the newest block
 * gets a new one, of at least BLOCK_BYTES; the rest of the old one is given
 * up, which costs less than searching it.
 */
#include <string.h>

#include "base/os.h"
#include "base/scratch.h"

enum { BLOCK_BYTES = 256 * 1024, PAGE_BYTES = 4096, UNIT = 16 };

struct ps_scratch_block {
	struct ps_scratch_block *next;
	size_t bytes; /* of the mapping, this header included */
};
_Static_assert(sizeof(struct ps_scratch_block) % UNIT == 0,
	       "what follows the header is aligned");

void
ps_scratch_init(struct ps_scratch *s, size_t limit_bytes)
{
	*s = (struct ps_scratch){.limit_bytes = limit_bytes};
}

static bool
add_block(struct ps_scratch *s, size_t bytes)
{
	struct ps_scratch_block *block;
	size_t total = bytes + sizeof(*block);
	void *pages;

	PS_ASSERT(total > bytes);
	PS_ASSERT(s->limit_bytes == 0 || s->total_bytes <= s->limit_bytes);
	total =
	    PS_ROUND_UP(PS_MAX(total, (size_t)BLOCK_BYTES), (size_t)PAGE_BYTES);
	if (s->limit_bytes != 0 && total > s->limit_bytes - s->total_bytes)
		return false;
	if (ps_os_map(total, &pages) != 0)
		return false;
	block = pages;
	block->next = s->blocks;
	block->bytes = total;
	s->blocks = block;
	s->used = sizeof(*block);
	s->total_bytes += total;
	return true;
}

void *
ps_scratch_alloc(struct ps_scratch *s, size_t bytes)
{
	char *at;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = PS_ROUND_UP(PS_MAX(bytes, (size_t)1), (size_t)UNIT);
	if (s->blocks == NULL || bytes > s->blocks->bytes - s->used) {
		if (!add_block(s, bytes))
			return NULL;
	}
	PS_ASSERT(s->used % UNIT == 0);
	at = (char *)s->blocks + s->used;
	s->used += bytes;
	PS_ASSERT(s->used <= s->blocks->bytes);
	return at;
}

void *
ps_scratch_array(struct ps_scratch *s, uint64_t count, size_t item_bytes)
{
	size_t bytes;

	if (__builtin_add_overflow(count, 1, &bytes) ||
	    __builtin_mul_overflow(bytes, item_bytes, &bytes))
		return NULL;
	return ps_scratch_alloc(s, bytes);
}

char *
ps_scratch_strdup(struct ps_scratch *s, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = ps_scratch_alloc(s, bytes);

	if (copy != NULL)
		memcpy(copy, text, bytes);
	return copy;
}

void
ps_scratch_release(void *at, size_t bytes)
{
	uintptr_t first = PS_ROUND_UP((uintptr_t)at, (uintptr_t)PAGE_BYTES);
	uintptr_t end = ((uintptr_t)at + bytes) & ~((uintptr_t)PAGE_BYTES - 1);

	PS_ASSERT(at != NULL || bytes == 0);
	if (first < end)
		(void)ps_os_discard((void *)first, end - first);
}

void
ps_scratch_fini(struct ps_scratch *s)
{
	struct ps_scratch_block *block = s->blocks;

	while (block != NULL) {
		struct ps_scratch_block *next = block->next;

		s->total_bytes -= block->bytes;
		ps_os_unmap(block, block->bytes);
		block = next;
	}
	PS_ASSERT(s->total_bytes == 0);
	s->blocks = NULL;
	s->used = 0;
}
