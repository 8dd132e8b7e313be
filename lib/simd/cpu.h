/* SPDX-License-Identifier: MIT */
/*
 * cpu - what CPUID says about this processor
 *
 * Every question executes CPUID, which a hypervisor traps (3.6 us a leaf in a
 * KVM guest): ask once and keep the answer.  Callable from anywhere.
 */
#ifndef PS_CPU_H
#define PS_CPU_H

#include "base/base.h"

/* Instruction sets that both the CPU has and the OS saves registers for. */
struct ps_cpu_features {
	bool has_avx2;	 /* with FMA3 */
	bool has_avx512; /* F, VL, DQ and BW */
	/* 512-bit loads and stores are done as two halves (AMD Zen 4). */
	bool is_avx512_split;
	bool has_neon; /* 64-bit ARM */
};
void ps_cpu_features(struct ps_cpu_features *out);

/* The TSC ticks at one rate in every power state (not: on every socket). */
bool ps_cpu_has_invariant_tsc(void);

/* Size of the largest data cache, 0 when the CPU does not tell. */
size_t ps_cpu_last_cache_bytes(void);
/* Size of the data cache of this level (1 is nearest), 0 likewise. */
size_t ps_cpu_cache_bytes(uint32_t level);

/*
 * A loop over more than this is faster with stores around the caches: the last
 * cache, or L2 where L3 takes what falls out of L2 over a mesh.  0 when the
 * CPU does not tell.
 */
size_t ps_cpu_streamed_from_bytes(void);

enum { PS_CPU_MODEL_BYTES = 64 };
/* "AMD EPYC 9B14 96-Core Processor", blanks trimmed; "unknown" if absent. */
void ps_cpu_model(char out[PS_CPU_MODEL_BYTES]);

/*
 * Write back and drop every cache line of [addr, addr + bytes) from all
 * caches, so that the next reading comes from memory.
 */
void ps_cpu_flush(const void *addr, size_t bytes);

#endif /* PS_CPU_H */
