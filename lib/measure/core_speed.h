/* SPDX-License-Identifier: MIT */
/*
 * core_speed - the core's frequency, its multiply-add peak, memory's latency
 *
 * Each is the best of a few repetitions in this thread, so that an interruption
 * costs a repetition and not the figure.  No state, no allocation; callable
 * from any thread.
 */
#ifndef PS_CORE_SPEED_H
#define PS_CORE_SPEED_H

#include "base/base.h"

/*
 * Cycles per second while this thread runs: a chain of additions, each of which
 * waits for the one before, at one a cycle on every core since 1995.  The
 * frequency at work, not a nominal one.  About 30 us a repetition.
 */
double ps_core_hz(uint32_t repeats);

/*
 * FLOP/s of independent multiply-adds in registers (ps_simd_burn), one core,
 * the instruction set in use.  About 33 us a repetition at 4 GHz.
 */
double ps_core_flops(uint32_t repeats);

/*
 * Prepare `count` places, a stride of whole cache lines apart, as one cycle in
 * random order, in memory that the caller owns: each holds the address of the
 * next.
 */
void ps_chase_init(void *memory, size_t count, size_t stride_bytes);

/*
 * Nanoseconds a load when each waits for the one before, over `hops` hops.
 * *at is where to begin, a place of ps_chase_init's, and where it ended.
 */
double ps_chase_ns(void **at, size_t hops);

#endif /* PS_CORE_SPEED_H */
