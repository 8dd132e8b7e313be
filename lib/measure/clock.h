/* SPDX-License-Identifier: MIT */
/*
 * clock - the run's clock: TSC when it can be trusted, else CLOCK_MONOTONIC
 *
 * The TSC is used when the kernel itself keeps time by it.  It is read without
 * a fence: an interval of 100 ns and more does not notice, and a fence doubles
 * the cost (9.6 to 19 ns in a KVM guest).
 *
 * ps_clock_init is called once, before there are other threads; all the rest
 * may be called from anywhere: before it, in signal handlers, in fork
 * children.  Before ps_clock_init the clock is CLOCK_MONOTONIC.
 */
#ifndef PS_CLOCK_H
#define PS_CLOCK_H

#include "base/options.h"
#include "base/os.h"

enum ps_clock_kind { PS_CLOCK_TSC = 1, PS_CLOCK_MONOTONIC = 2 };

/* All zero before ps_clock_init; constant after. */
struct ps_clock {
	uint32_t kind; /* enum ps_clock_kind */
	uint32_t reserved;
	/* A pair (see ps_clock_pair), the far end for a later rate. */
	ps_ticks first_ticks;
	uint64_t first_ns;
	uint64_t first_width_ns;
};
extern struct ps_clock ps_clock;

/*
 * Decide.  PS_CLOCK_USE_TSC takes the TSC if CPUID calls it invariant, whatever
 * the kernel uses; intervals are then right as long as the sockets agree.
 * About 5 us: a file of /sys, one pair.
 */
void ps_clock_init(enum ps_choice_clock choice);

/* "tsc" or "monotonic". */
const char *ps_clock_name(void);

/*
 * Why that one: "kernel" the kernel keeps time by the TSC too, "forced" it does
 * not, but the option said so, "unstable" the kernel keeps time by something
 * else, "varying" the TSC's rate is not constant, "chosen" the option said
 * monotonic.  Constant after ps_clock_init; "chosen" before.
 */
const char *ps_clock_trust(void);

/* Ticks since some fixed moment.  One branch, one instruction with the TSC. */
PS_INLINE ps_ticks
ps_clock_now(void)
{
	if (ps_likely(ps_clock.kind == PS_CLOCK_TSC))
		return __builtin_ia32_rdtsc();
	return ps_os_monotonic_ns();
}

/*
 * The same moment on both clocks: of ten readings monotonic, ticks, monotonic
 * the tightest, whose middle is *ns.  Returns the width of that bracket in ns:
 * the two values belong together within half of it.  About 1 us.
 */
uint64_t ps_clock_pair(ps_ticks *ticks, uint64_t *ns);

/*
 * Ticks per second from the distance of two pairs, whose widths add up to
 * width_ns, and its uncertainty in parts per million.  0, or -ENODATA when
 * they are not further apart than their widths.
 */
int ps_clock_rate(ps_ticks ticks, uint64_t ns, uint64_t width_ns, double *hz,
		  double *ppm);

/* Mean cost of one reading, the median of several batches; about 40 us. */
double ps_clock_cost_ns(void);

/*
 * The step in which the clock advances: the largest number that divides the
 * differences of many readings.  Differences that make up less than a tenth do
 * not count: an AMD TSC that advances by 26 ticks is now and then seen one tick
 * early.  0 when no difference was frequent.  About 20 us.
 */
ps_ticks ps_clock_quantum(void);
/* The same from n (at most 200) differences. */
ps_ticks ps_clock_common_step(const ps_ticks *steps, size_t n);

#endif /* PS_CLOCK_H */
