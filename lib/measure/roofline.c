/* SPDX-License-Identifier: MIT */
/*
 * roofline - how near a section came to what the machine can do
 *
 * Time at best is max(bytes / bandwidth, FLOPs / peak), whichever of the two is
 * declared; the larger one is the bound, and the share is it over the time
 * taken.  Written with times rather than with intensity, so that bytes alone
 * and FLOPs alone are no special cases.
 */
#include <errno.h>

#include "measure/roofline.h"

/* Finite and not negative; NaN fails both comparisons. */
static bool
is_amount(double x)
{
	return x >= 0 && x <= 1e30;
}

int
ps_roofline(const struct ps_calibration *c, double bytes, double flops,
	    double seconds, struct ps_roofline *out)
{
	double memory_s = 0;
	double computing_s = 0;
	bool is_memory;

	if (!is_amount(bytes) || !is_amount(flops) || !is_amount(seconds) ||
	    !is_amount(c->vector_add_dram) || !is_amount(c->fma_flops))
		return -ENODATA;
	if (seconds <= 0 || bytes + flops <= 0 ||
	    (bytes > 0 && c->vector_add_dram <= 0) ||
	    (flops > 0 && c->fma_flops <= 0))
		return -ENODATA;
	if (bytes > 0)
		memory_s = bytes / c->vector_add_dram;
	if (flops > 0)
		computing_s = flops / c->fma_flops;
	is_memory = memory_s >= computing_s;
	out->bound = is_memory ? PS_BOUND_BY_MEMORY : PS_BOUND_BY_COMPUTING;
	out->share = (is_memory ? memory_s : computing_s) / seconds;
	out->rate = (flops > 0 ? flops : bytes) / seconds;
	out->ceiling =
	    (flops > 0 ? flops : bytes) / (is_memory ? memory_s : computing_s);
	out->flops_a_byte = bytes > 0 && flops > 0 ? flops / bytes : 0;
	return 0;
}
