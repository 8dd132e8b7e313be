/* SPDX-License-Identifier: MIT */
/*
 * class - builds the table from sizes to classes
 *
 * A table of one byte per 16 bytes of size is one load on the path of malloc;
 * the formula with a leading-zero count, which jemalloc uses above 4 KiB, is
 * eight instructions.  Only the cache lines of sizes in use are ever touched.
 */
#include "pool/class.h"

uint8_t ps_class_table[PS_POOL_SMALL_MAX / PS_POOL_GRAIN + 1];
uint32_t ps_class_sizes[PS_POOL_CLASSES];

static void
init_sizes(void)
{
	unsigned cls = 0;

	for (uint32_t size = 16; size <= 128; size += 16)
		ps_class_sizes[cls++] = size;
	for (uint32_t base = 128; base < PS_POOL_SMALL_MAX; base *= 2)
		for (uint32_t part = 1; part <= 4; part++)
			ps_class_sizes[cls++] = base + part * (base / 4);
	PS_ASSERT(cls == PS_POOL_CLASSES);
	PS_ASSERT(ps_class_sizes[PS_POOL_CLASSES - 1] == PS_POOL_SMALL_MAX);
}

void
ps_class_init(void)
{
	unsigned cls = 0;

	init_sizes();
	for (size_t i = 0; i < PS_COUNT(ps_class_table); i++) {
		if (i * PS_POOL_GRAIN > ps_class_sizes[cls])
			cls++;
		PS_ASSERT(cls < PS_POOL_CLASSES);
		ps_class_table[i] = (uint8_t)cls;
	}
	PS_ASSERT(cls == PS_POOL_CLASSES - 1); /* each has a size */
}

unsigned
ps_class_of_aligned(size_t size, size_t align)
{
	unsigned cls;

	PS_ASSERT((align & (align - 1)) == 0);
	if (size > PS_POOL_SMALL_MAX || align > PS_POOL_SMALL_MAX)
		return PS_POOL_CLASSES;
	for (cls = ps_class_of(size); cls < PS_POOL_CLASSES; cls++)
		if (ps_class_sizes[cls] % align == 0)
			return cls;
	return PS_POOL_CLASSES;
}
