/* SPDX-License-Identifier: MIT */
/*
 * machine - the calibration of this machine, from its cache or measured now
 */
#ifndef PS_SHIM_MACHINE_H
#define PS_SHIM_MACHINE_H

#include "measure/calibration.h"

/* From the constructor: where the cache is, while the environment is whole. */
void ps_machine_init(void);

/*
 * The calibration of this boot and processor: cached, or, when
 * may_measure, measured (less than 5 ms of CPU time for quick) and cached for
 * the processes to come.  kind stays PS_CALIBRATION_NONE when there is none.
 * With may_measure it also says how the machine changed during the run (0.3
 * ms).
 */
void ps_machine_calibrate(struct ps_calibration *out, bool may_measure);

#endif /* PS_SHIM_MACHINE_H */
