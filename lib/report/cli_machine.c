/* SPDX-License-Identifier: MIT */
/*
 * cli_machine - perfreport --machine: the calibration of this machine, alone
 *
 * A rate of the TSC needs two points in time.  The measurement itself lies
 * between them, so the figure is as good as 0.4 s make it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure/calibrate.h"
#include "measure/clock.h"
#include "profile/section_cost.h"
#include "report/cli_machine.h"
#include "report/text_machine.h"
#include "simd/cpu.h"
#include "simd/simd.h"

/* From the cache, when it is of this set of instructions. */
static bool
load(const char *path, const struct ps_calibration_key *key,
     struct ps_calibration *c)
{
	return ps_calibration_load(path, key, c) == 0 &&
	       c->kind == PS_CALIBRATION_FULL && c->marker_ns > 0 &&
	       strcmp(c->isa, ps_simd_name(ps_simd_isa())) == 0;
}

/*
 * What marks in programs call; a program that has some measures them itself.
 */
static void
measure_marks(struct ps_calibration *c)
{
	bool is_tsc = ps_clock.kind == PS_CLOCK_TSC;

	PS_ASSERT(is_tsc || ps_clock.kind == PS_CLOCK_MONOTONIC);
	if (!is_tsc || c->tsc_hz > 0)
		(void)ps_section_cost(is_tsc ? 1e9 / c->tsc_hz : 1,
				      &c->marker_ns, &c->marker_inside_ns);
}

static int
load_or_measure(struct ps_calibration *c)
{
	char path[PS_CALIBRATION_PATH_MAX];
	struct ps_calibration_key key;
	bool has_cache = ps_calibration_path(environ, path) == 0 &&
			 ps_calibration_key(&key) == 0;
	int error;

	if (has_cache && load(path, &key, c))
		return 0;
	ps_clock_init(PS_CLOCK_AUTO);
	error = ps_calibrate(PS_CALIBRATION_FULL, c);
	if (error != 0)
		return error;
	measure_marks(c);
	/* Kept for those who come after; without a cache they measure too. */
	if (has_cache)
		(void)ps_calibration_save(path, &key, c);
	return 0;
}

int
ps_cli_machine(void)
{
	static char buffer[8192];
	struct ps_calibration c = {0};
	char model[PS_CPU_MODEL_BYTES];
	struct ps_text text;
	int error = load_or_measure(&c);

	if (error != 0) {
		fprintf(stderr, "perfreport: --machine: %s\n",
			strerror(-error));
		return 1;
	}
	PS_ASSERT(c.kind == PS_CALIBRATION_FULL);
	ps_cpu_model(model);
	ps_text_init(&text, buffer, sizeof(buffer), STDOUT_FILENO);
	ps_text_printf(&text, "MACHINE  (measured %s)\n",
		       c.is_cached ? "earlier this boot" : "now");
	ps_put_calibration(&text, &c, model);
	ps_text_flush(&text);
	return text.error == 0 ? 0 : 1;
}
