/* SPDX-License-Identifier: MIT */
/*
 * watch - was the machine the same all through the run?
 *
 * Two looks at what the kernel counts, at the start and at the end: time that
 * the hypervisor gave to others (steal, /proc/stat) and time in which some task
 * waited for a CPU (/proc/pressure/cpu).  With the drift that
 * ps_calibrate_drift measures they say how far timings of the run are to be
 * trusted.
 */
#ifndef PS_WATCH_H
#define PS_WATCH_H

#include "measure/calibration.h"

/* Zero where the kernel does not tell; is_* says whether it did. */
struct ps_watch {
	uint64_t ns;	      /* monotonic */
	uint64_t steal_ticks; /* of all CPUs, in the kernel's own unit */
	uint64_t all_ticks;   /* the same, idle time included */
	uint64_t pressure_us; /* some task waited */
	bool is_steal_known;
	bool is_pressure_known;
};

/* Now.  Two files of /proc: 20 us in a guest of two CPUs. */
void ps_watch_read(struct ps_watch *out);

/*
 * What ps_watch_read takes from the beginning of the two files' text.  The two
 * is_* say what was found; `ns` is left alone.
 */
void ps_watch_parse(struct ps_watch *out, const char *stat,
		    const char *pressure);

/*
 * steal_fraction, pressure_fraction and their bits of `watched`, from what
 * happened between the two.
 */
void ps_watch_between(const struct ps_watch *start, const struct ps_watch *end,
		      struct ps_calibration *out);

/* Reasons not to trust timings; see ps_watch_doubts. */
enum {
	PS_DOUBT_SLOWER = 1,	/* vector add lost more than 5 % */
	PS_DOUBT_FREQUENCY = 2, /* the core's clock changed by more than 3 % */
	PS_DOUBT_STEAL = 4,	/* more than 1 % stolen */
	PS_DOUBT_WAITING = 8,	/* somebody waited for more than 10 % of it */
	PS_DOUBT_MEMORY = 16,	/* vector add in memory lost more than 20 % */
};

/* Of a calibration at the end of its run; unknown is no doubt. */
uint32_t ps_watch_doubts(const struct ps_calibration *c);

#endif /* PS_WATCH_H */
