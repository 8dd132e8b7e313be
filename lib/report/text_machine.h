/* SPDX-License-Identifier: MIT */
/*
 * text_machine - what was measured of a machine, in words
 */
#ifndef PS_REPORT_TEXT_MACHINE_H
#define PS_REPORT_TEXT_MACHINE_H

#include "base/text.h"
#include "measure/calibration.h"

/* A calibration alone, with its methods and a bar for each level. */
void ps_put_calibration(struct ps_text *t, const struct ps_calibration *c,
			const char *cpu_model);

/*
 * What disturbed the run, one line each, and what the machine was like at its
 * end.  Nothing when neither is known.
 */
void ps_put_disturbances(struct ps_text *t, const struct ps_calibration *c);

/*
 * " 52% of the ceiling, bound by memory (0.25 FLOPs a byte)", without an end of
 * line; false, and nothing, when there is no such share (see ps_roofline).
 */
bool ps_put_roofline(struct ps_text *t, const struct ps_calibration *c,
		     double bytes, double flops, double seconds);

/* For the heading of timings; NULL when nothing speaks against them. */
const char *ps_timing_note(const struct ps_calibration *c);

#endif /* PS_REPORT_TEXT_MACHINE_H */
