/* SPDX-License-Identifier: MIT */
/*
 * calibrate_clock - the clock's part of a calibration
 */
#include <string.h>

#include "measure/calibrate_clock.h"
#include "measure/clock.h"

void
ps_calibrate_word(char field[16], const char *word)
{
	size_t length = strlen(word);

	PS_ASSERT(length < 16);
	memset(field, 0, 16);
	memcpy(field, word, length + 1);
}

static void
measure_rate(struct ps_calibration *out)
{
	ps_ticks ticks;
	uint64_t ns;
	uint64_t width;

	if (ps_clock.kind != PS_CLOCK_TSC)
		return;
	width = ps_clock_pair(&ticks, &ns) + ps_clock.first_width_ns;
	/* A clock that does not move leaves both at "not measured". */
	(void)ps_clock_rate(ticks - ps_clock.first_ticks,
			    ns - ps_clock.first_ns, width, &out->tsc_hz,
			    &out->tsc_ppm);
}

static double
quantum_ns(const struct ps_calibration *c)
{
	double ticks = (double)ps_clock_quantum();

	if (ps_clock.kind != PS_CLOCK_TSC)
		return ticks;
	return c->tsc_hz > 0 ? ticks / c->tsc_hz * 1e9 : 0;
}

void
ps_calibrate_clock(struct ps_calibration *out)
{
	ps_calibrate_word(out->clock, ps_clock_name());
	ps_calibrate_word(out->clock_trust, ps_clock_trust());
	out->clock_ns = ps_clock_cost_ns();
	measure_rate(out);
	out->clock_quantum_ns = quantum_ns(out);
}
