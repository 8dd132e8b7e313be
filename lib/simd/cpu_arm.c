/* SPDX-License-Identifier: MIT */
/*
 * cpu_arm - cpu.h on 64-bit ARM: what the kernel says in the auxiliary vector
 *
 * Cache sizes are in registers that only the kernel reads; unknown is 0, and
 * nothing is then written around the caches.
 */
#if defined(__aarch64__)

#include <string.h>
#include <sys/auxv.h>

#include "simd/cpu.h"

enum { HAS_ASIMD = 1 << 1 }; /* HWCAP_ASIMD of Linux */

void
ps_cpu_features(struct ps_cpu_features *out)
{
	memset(out, 0, sizeof(*out));
	out->has_neon = (getauxval(AT_HWCAP) & HAS_ASIMD) != 0;
}

bool
ps_cpu_has_invariant_tsc(void)
{
	return false;
}

size_t
ps_cpu_last_cache_bytes(void)
{
	return 0;
}

size_t
ps_cpu_cache_bytes(uint32_t level)
{
	return 0;
}

size_t
ps_cpu_streamed_from_bytes(void)
{
	return 0;
}

void
ps_cpu_model(char out[PS_CPU_MODEL_BYTES])
{
	memset(out, 0, PS_CPU_MODEL_BYTES);
	memcpy(out, "unknown", sizeof("unknown"));
}

void
ps_cpu_flush(const void *addr, size_t bytes)
{
	const char *end = (const char *)addr + bytes;

	for (const char *line = addr; line < end; line += PS_CACHE_LINE)
		__asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
}

#else
typedef int no_arm_here; /* a translation unit is not empty */
#endif
