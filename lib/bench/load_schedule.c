/* SPDX-License-Identifier: MIT */
/*
 * load_schedule - when each step of an open loop is due
 *
 * The rate grows from 0 to R over the ramp-up T and stays: after s seconds
 * R s^2 / 2T steps are due, and R (s - T/2) after the ramp.  Step k is due when
 * that is k: step 0 at once, and never two at the same time.
 */
#include "bench/load.h"
#include "measure/real.h"

double
ps_load_due_s(double rate, double ramp_up_s, uint64_t k)
{
	double steps = (double)k;
	double in_ramp = rate * ramp_up_s / 2;

	PS_ASSERT(rate > 0 && ramp_up_s >= 0);
	if (steps < in_ramp)
		return ps_sqrt(2 * steps * ramp_up_s / rate);
	return ramp_up_s + (steps - in_ramp) / rate;
}

uint64_t
ps_load_due_before(double rate, double ramp_up_s, double s)
{
	double steps = s < ramp_up_s ? rate * s * s / (2 * ramp_up_s)
				     : rate * (s - ramp_up_s / 2);
	uint64_t whole = (uint64_t)PS_MAX(steps, 0.0);

	PS_ASSERT(rate > 0 && ramp_up_s >= 0);
	PS_ASSERT(s >= 0);
	/* Steps 0 ... whole - 1 are due by then, and `whole` if before it. */
	while (ps_load_due_s(rate, ramp_up_s, whole) < s)
		whole++;
	while (whole > 0 && ps_load_due_s(rate, ramp_up_s, whole - 1) >= s)
		whole--;
	return whole;
}
