/* SPDX-License-Identifier: MIT */
/*
 * machine - the calibration of this machine, from its cache or measured now
 *
 * It is asked for at the end of a process, so that the start never waits, and
 * measured only by a process that ran long enough not to notice (finish.c);
 * what the first few measured serves every process until the next boot
 * (calibration_settle.h).  The clock's own figures are this process's: the rate
 * was refined over its whole run.
 */
#include <unistd.h>

#include "measure/calibrate.h"
#include "measure/calibration_settle.h"
#include "measure/clock.h"
#include "measure/watch.h"
#include "record/writer.h"
#include "shim/machine.h"
#include "shim/start.h"

enum { MEMORY_AFTER_NS = 300 * 1000 * 1000 };

static char cache_path[PS_CALIBRATION_PATH_MAX];
static bool has_cache_path;
static struct ps_watch at_start;
static int watching_pid; /* a forked child began later than at_start */

void
ps_machine_init(void)
{
	has_cache_path =
	    environ != NULL && ps_calibration_path(environ, cache_path) == 0;
	if (ps_options.calibrate == PS_CALIBRATE_OFF)
		return;
	ps_watch_read(&at_start);
	watching_pid = ps_os_pid();
}

static void
load(struct ps_calibration *out)
{
	struct ps_calibration_key key;
	struct ps_calibration known;

	if (has_cache_path && ps_calibration_key(&key) == 0 &&
	    ps_calibration_load(cache_path, &key, &known) == 0 &&
	    known.kind >= ps_options.calibrate)
		*out = known;
}

static void
load_or_measure(struct ps_calibration *out)
{
	struct ps_calibration_key key;
	bool has_cache = has_cache_path && ps_calibration_key(&key) == 0;

	(void)ps_calibration_settle(
	    (enum ps_calibration_kind)ps_options.calibrate,
	    has_cache ? cache_path : NULL, &key, ps_os_monotonic_ns(), out);
}

/* The whole run is the base line; see ps_record_clock. */
static void
refine_rate(struct ps_calibration *out)
{
	const struct ps_record_clock *clock = &ps_record->clock;
	double hz;
	double ppm;

	if (clock->kind == PS_CLOCK_TSC &&
	    ps_clock_rate(ps_peek(&clock->last_ticks) - clock->start_ticks,
			  ps_peek(&clock->last_ns) - clock->start_ns, 100, &hz,
			  &ppm) == 0) {
		out->tsc_hz = hz;
		out->tsc_ppm = ppm;
	}
}

/* Figures of another time are compared with now, and the run is judged. */
static void
watch(struct ps_calibration *out)
{
	struct ps_watch now;
	double l1;
	double core;
	double memory;

	out->watched = 0;
	if (out->is_cached && ps_calibrate_drift(out, &l1, &core) == 0) {
		out->drift_fraction = l1;
		out->core_drift = core;
		out->watched |= PS_WATCHED_DRIFT;
	}
	if (watching_pid != ps_os_pid())
		return;
	ps_watch_read(&now);
	/* Half a millisecond would be much of a shorter run. */
	if (out->is_cached && now.ns - at_start.ns >= MEMORY_AFTER_NS &&
	    ps_calibrate_memory_drift(out, &memory) == 0) {
		out->memory_drift = (float)memory;
		out->watched |= PS_WATCHED_MEMORY;
	}
	ps_watch_between(&at_start, &now, out);
}

void
ps_machine_calibrate(struct ps_calibration *out, bool may_measure)
{
	if (ps_options.calibrate == PS_CALIBRATE_OFF)
		return;
	if (may_measure)
		load_or_measure(out);
	else
		load(out);
	refine_rate(out);
	if (may_measure)
		watch(out);
}
