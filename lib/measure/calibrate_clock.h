/* SPDX-License-Identifier: MIT */
/*
 * calibrate_clock - the clock's part of a calibration
 */
#ifndef PS_MEASURE_CALIBRATE_CLOCK_H
#define PS_MEASURE_CALIBRATE_CLOCK_H

#include "measure/calibration.h"

/*
 * Its name and trust, rate with uncertainty, cost and step: the rate from the
 * distance to the pair that ps_clock_init took.  About 60 us.
 */
void ps_calibrate_clock(struct ps_calibration *out);

/* A word of a calibration, shorter than 16 bytes. */
void ps_calibrate_word(char field[16], const char *word);

#endif /* PS_MEASURE_CALIBRATE_CLOCK_H */
