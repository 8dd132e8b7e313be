/* SPDX-License-Identifier: MIT */
/*
 * clock - the run's clock: TSC when it can be trusted, else CLOCK_MONOTONIC
 *
 * The kernel's word is taken from its clock source file: it watches the TSC
 * against other timers and leaves it when they disagree, which no program can
 * do better.  Without /sys (a chroot, a sandbox) the answer is unknown, and
 * unknown means CLOCK_MONOTONIC.
 *
 * The rate is not taken from CPUID leaf 0x15/0x16 or the CPU's name: those are
 * nominal and were seen to be 0.15 % off.  Two pairs of readings give it
 * within (their widths) / (their distance).
 */
#include <errno.h>
#include <string.h>

#include "measure/clock.h"
#include "measure/stat.h"
#include "simd/cpu.h"

#define CLOCK_SOURCE                                                           \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum {
	PAIR_TRIES = 10,
	COST_BATCHES = 15,
	COST_READINGS = 256, /* a batch: 1/256 of the bracket is error */
	QUANTUM_READINGS = 200,
	RARE = 10, /* less than one in so many */
};

/* Two of them add up to more than any distance, and do not overflow. */
#define UNKNOWN_WIDTH (UINT64_MAX / 4)

struct ps_clock ps_clock;
static const char *trust = "chosen";

static bool
kernel_uses_tsc(void)
{
	char source[32];
	ssize_t length = ps_os_slurp(CLOCK_SOURCE, source, sizeof(source));

	return length == 4 && memcmp(source, "tsc\n", 4) == 0;
}

static const char *
decide(enum ps_choice_clock choice, bool *is_tsc)
{
	*is_tsc = false;
	if (choice == PS_CLOCK_USE_MONOTONIC)
		return "chosen";
	*is_tsc = kernel_uses_tsc();
	if (*is_tsc)
		return "kernel";
	if (!ps_cpu_has_invariant_tsc())
		return "varying";
	*is_tsc = choice == PS_CLOCK_USE_TSC;
	return *is_tsc ? "forced" : "unstable";
}

void
ps_clock_init(enum ps_choice_clock choice)
{
	bool is_tsc;

	PS_ASSERT(choice <= PS_CLOCK_USE_MONOTONIC);
	trust = decide(choice, &is_tsc);
	ps_clock.kind = is_tsc ? PS_CLOCK_TSC : PS_CLOCK_MONOTONIC;
	ps_clock.first_width_ns =
	    ps_clock_pair(&ps_clock.first_ticks, &ps_clock.first_ns);
}

const char *
ps_clock_trust(void)
{
	return trust;
}

const char *
ps_clock_name(void)
{
	return ps_clock.kind == PS_CLOCK_TSC ? "tsc" : "monotonic";
}

static uint64_t
bracket(ps_ticks *ticks, uint64_t *ns)
{
	uint64_t before = ps_os_monotonic_ns();
	ps_ticks now = ps_clock_now();
	uint64_t after = ps_os_monotonic_ns();

	*ticks = now;
	*ns = before;
	if (after < before) /* a kernel's bug: nothing is known */
		return UNKNOWN_WIDTH;
	*ns += (after - before) / 2;
	return after - before;
}

uint64_t
ps_clock_pair(ps_ticks *ticks, uint64_t *ns)
{
	uint64_t width = bracket(ticks, ns);

	for (int i = 1; i < PAIR_TRIES; i++) {
		ps_ticks other_ticks;
		uint64_t other_ns;
		uint64_t other = bracket(&other_ticks, &other_ns);

		if (other < width) {
			width = other;
			*ticks = other_ticks;
			*ns = other_ns;
		}
	}
	if (ps_clock.kind == PS_CLOCK_TSC)
		return width;
	*ns = *ticks; /* one clock is exactly itself */
	return 0;
}

int
ps_clock_rate(ps_ticks ticks, uint64_t ns, uint64_t width_ns, double *hz,
	      double *ppm)
{
	/* Signed: a distance that went backwards is no distance. */
	if ((int64_t)ticks <= 0 || (int64_t)ns <= 0 || ns <= width_ns)
		return -ENODATA;
	*hz = (double)ticks / (double)ns * 1e9;
	/* Each end is off by at most half its width. */
	*ppm = (double)width_ns / 2 / (double)ns * 1e6;
	return 0;
}

static double
cost_of_batch(void)
{
	uint64_t start = ps_os_monotonic_ns();

	for (int i = 0; i < COST_READINGS; i++) {
		ps_ticks now = ps_clock_now();

		__asm__ volatile("" : : "r"(now));
	}
	return (double)(ps_os_monotonic_ns() - start);
}

double
ps_clock_cost_ns(void)
{
	double batches[COST_BATCHES];
	double median = 0;
	int error;

	for (int i = 0; i < COST_BATCHES; i++)
		batches[i] = cost_of_batch();
	error = ps_stat_median(batches, COST_BATCHES, &median);
	PS_ASSERT(error == 0);
	return median / COST_READINGS;
}

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static uint32_t
count_of(const ps_ticks *steps, size_t n, ps_ticks step)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += steps[i] == step;
	return count;
}

ps_ticks
ps_clock_common_step(const ps_ticks *steps, size_t n)
{
	ps_ticks divisor = 0;

	PS_ASSERT(n <= QUANTUM_READINGS);
	for (size_t i = 0; i < n; i++) {
		if (count_of(steps, n, steps[i]) * RARE >= n)
			divisor = common_divisor(steps[i], divisor);
	}
	return divisor;
}

ps_ticks
ps_clock_quantum(void)
{
	ps_ticks steps[QUANTUM_READINGS];
	ps_ticks last = ps_clock_now();
	size_t n = 0;

	for (int i = 0; i < QUANTUM_READINGS; i++) {
		ps_ticks now = ps_clock_now();

		/* A step back is another core's clock, not a step. */
		if (now > last)
			steps[n++] = now - last;
		last = now;
	}
	return ps_clock_common_step(steps, n);
}
