/* SPDX-License-Identifier: MIT */
/*
 * cpu - what CPUID says about this processor
 *
 * An instruction set is usable when the CPU has it (CPUID) and the operating
 * system switches its registers (XGETBV): a kernel booted with noxsave leaves
 * the CPUID bit set and kills the first program that believes it.  Cache sizes
 * come from the deterministic leaf, 4 on Intel and 0x8000001D on AMD, which
 * share their layout.
 */
#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "simd/cpu.h"

struct leaf {
	uint32_t eax, ebx, ecx, edx;
};

enum {
	LEAF_FEATURES = 1,
	LEAF_CACHES_INTEL = 4,
	LEAF_FEATURES_7 = 7,
	XCR0_AVX = 0x6,	    /* XMM and YMM */
	XCR0_AVX512 = 0xe6, /* and opmask, upper ZMM halves, ZMM16..31 */
	CACHE_TYPES = 0x1f, /* of eax; 0 ends the list, 2 is instructions */
	CACHES_MAX = 8,
};
/* Family of leaf 1, base and extended together. */
enum { FAMILY_ZEN_3_AND_4 = 0x19, FAMILY_INTEL = 6 };
enum { MODEL_SAPPHIRE_RAPIDS = 0x8f, MODEL_EMERALD_RAPIDS = 0xcf };
#define LEAF_POWER 0x80000007u
#define LEAF_BRAND 0x80000002u
#define LEAF_CACHES_AMD 0x8000001du
#define LEAF_EXTENDED 0x80000000u

/* False when the CPU does not know the leaf. */
static bool
ask(uint32_t number, uint32_t sub, struct leaf *out)
{
	struct leaf top;

	__cpuid(number & LEAF_EXTENDED, top.eax, top.ebx, top.ecx, top.edx);
	if (top.eax < number)
		return false;
	__cpuid_count(number, sub, out->eax, out->ebx, out->ecx, out->edx);
	return true;
}

static uint64_t
saved_registers(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static uint32_t
family_of(const struct leaf *one)
{
	return ((one->eax >> 8) & 0xf) + ((one->eax >> 20) & 0xff);
}

/* Of that family only Zen 4 has AVX-512 at all; Intel's families are lower. */
static bool
is_zen_4(const struct leaf *one)
{
	return family_of(one) == FAMILY_ZEN_3_AND_4;
}

void
ps_cpu_features(struct ps_cpu_features *out)
{
	const uint32_t avx512 =
	    bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW;
	struct leaf one, seven;
	uint64_t saved;

	memset(out, 0, sizeof(*out));
	if (!ask(LEAF_FEATURES_7, 0, &seven) || !ask(LEAF_FEATURES, 0, &one))
		return;
	if (!(one.ecx & bit_OSXSAVE))
		return; /* XGETBV would be an illegal instruction */
	saved = saved_registers();
	out->has_avx2 = (saved & XCR0_AVX) == XCR0_AVX && (one.ecx & bit_AVX) &&
			(one.ecx & bit_FMA) && (seven.ebx & bit_AVX2);
	out->has_avx512 = out->has_avx2 &&
			  (saved & XCR0_AVX512) == XCR0_AVX512 &&
			  (seven.ebx & avx512) == avx512;
	out->is_avx512_split = out->has_avx512 && is_zen_4(&one);
	PS_ASSERT(out->has_avx2 || !out->has_avx512);
}

/* Every x86-64 CPU has the leaf (long mode's address sizes are the one after
 * it), so it is not asked for its highest first: this is every start's. */
bool
ps_cpu_has_invariant_tsc(void)
{
	struct leaf power;

	__cpuid(LEAF_POWER, power.eax, power.ebx, power.ecx, power.edx);
	return power.edx & (1u << 8);
}

static size_t
cache_bytes(const struct leaf *cache)
{
	size_t ways = (cache->ebx >> 22) + 1;
	size_t parts = ((cache->ebx >> 12) & 0x3ff) + 1;
	size_t line = (cache->ebx & 0xfff) + 1;

	PS_ASSERT(line >= 16 && ways >= 1);
	return ways * parts * line * ((size_t)cache->ecx + 1);
}

/* The largest data cache of a level, or, with level 0, of any. */
static size_t
largest_cache(uint32_t number, uint32_t level)
{
	struct leaf cache;
	size_t largest = 0;

	for (uint32_t i = 0; i < CACHES_MAX; i++) {
		if (!ask(number, i, &cache) || !(cache.eax & CACHE_TYPES))
			break;
		if ((cache.eax & CACHE_TYPES) != 2 &&
		    (level == 0 || ((cache.eax >> 5) & 7) == level))
			largest = PS_MAX(largest, cache_bytes(&cache));
	}
	return largest;
}

size_t
ps_cpu_cache_bytes(uint32_t level)
{
	size_t bytes = largest_cache(LEAF_CACHES_INTEL, level);

	return bytes != 0 ? bytes : largest_cache(LEAF_CACHES_AMD, level);
}

size_t
ps_cpu_last_cache_bytes(void)
{
	return ps_cpu_cache_bytes(0);
}

static bool
is_sapphire_or_emerald_rapids(void)
{
	struct leaf one;
	uint32_t model;

	if (!ask(LEAF_FEATURES, 0, &one))
		return false;
	model = ((one.eax >> 4) & 0xf) + ((one.eax >> 12) & 0xf0);
	return family_of(&one) == FAMILY_INTEL &&
	       (model == MODEL_SAPPHIRE_RAPIDS ||
		model == MODEL_EMERALD_RAPIDS);
}

size_t
ps_cpu_streamed_from_bytes(void)
{
	return ps_cpu_cache_bytes(is_sapphire_or_emerald_rapids() ? 2 : 0);
}

void
ps_cpu_model(char out[PS_CPU_MODEL_BYTES])
{
	char brand[3 * sizeof(struct leaf) + 1] = {0};
	struct leaf part;
	const char *start = brand;
	size_t length;

	_Static_assert(sizeof(brand) <= PS_CPU_MODEL_BYTES, "48 bytes and 0");
	for (uint32_t i = 0; i < 3 && ask(LEAF_BRAND + i, 0, &part); i++)
		memcpy(brand + i * sizeof(part), &part, sizeof(part));
	while (*start == ' ')
		start++;
	length = strlen(start);
	while (length > 0 && start[length - 1] == ' ')
		length--;
	PS_ASSERT(length < PS_CPU_MODEL_BYTES);
	memset(out, 0, PS_CPU_MODEL_BYTES);
	if (length == 0)
		memcpy(out, "unknown", sizeof("unknown"));
	else
		memcpy(out, start, length);
}

__attribute__((target("clflushopt"))) static void
flush_unordered(const char *line, const char *end)
{
	for (; line < end; line += PS_CACHE_LINE)
		_mm_clflushopt((void *)line);
}

static void
flush_ordered(const char *line, const char *end)
{
	for (; line < end; line += PS_CACHE_LINE)
		_mm_clflush(line);
}

void
ps_cpu_flush(const void *addr, size_t bytes)
{
	const char *end = (const char *)addr + bytes;
	const char *line =
	    (const char *)((uintptr_t)addr & ~(uintptr_t)(PS_CACHE_LINE - 1));
	struct leaf seven;

	if (ask(LEAF_FEATURES_7, 0, &seven) && (seven.ebx & bit_CLFLUSHOPT))
		flush_unordered(line, end);
	else
		flush_ordered(line, end);
	_mm_mfence();
}

#else
typedef int no_x86_here; /* a translation unit is not empty */
#endif
