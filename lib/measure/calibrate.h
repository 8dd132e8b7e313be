/* SPDX-License-Identifier: MIT */
/*
 * calibrate - measures this machine with the SIMD core
 *
 * Bandwidth of vector add per memory level, latency of memory, the core's
 * frequency, FLOP/s at best and of matrix multiply, rate, cost and step of the
 * clock; one thread, best of several repetitions.  The marker's
 * cost is the shim's to measure; its fields stay 0 here.
 */
#ifndef PS_CALIBRATE_H
#define PS_CALIBRATE_H

#include "measure/calibration.h"

/*
 * Measure.  Quick takes less than 5 ms of this thread's CPU time (3.3 ms in a
 * Zen 4 guest, a third of it page faults) and 1.5 MiB for its duration; full
 * takes less than 1 s and up to 258 MiB.  Call it off the fast path, once; any
 * thread, no locks; nothing is left behind.
 *
 * tsc_hz comes from the distance to the pair that ps_clock_init took, so it is
 * the better the later this is called; it stays 0 when the clock is not the
 * TSC.  Full may fail a host that has a memory limit below its need: offer it,
 * do not force it.
 *
 * 0, or -errno (-ENOMEM), and then *out is untouched.
 */
int ps_calibrate(enum ps_calibration_kind kind, struct ps_calibration *out);

/*
 * How much slower vector add in L1 and the core's clock are now than `start`
 * says: 0.1 is 10 % slower, negative is faster.  About 0.7 ms.  0, or -ENODATA
 * when start has no such figures.
 */
int ps_calibrate_drift(const struct ps_calibration *start, double *l1,
		       double *core);

/*
 * The same of vector add in memory, over 384 KiB that are flushed out of all
 * caches.  About 0.5 ms.  0, -ENOMEM, or -ENODATA when start has no figure or
 * streamed for it: that does not compare.
 */
int ps_calibrate_memory_drift(const struct ps_calibration *start,
			      double *slower);

#endif /* PS_CALIBRATE_H */
