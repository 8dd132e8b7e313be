/* SPDX-License-Identifier: MIT */
/*
 * metrics - PERFSHIM_METRICS: this process as a textfile of Prometheus metrics
 *
 * Written every fifteen seconds at most, by whoever comes by (watch.h), and at
 * the end; each time as a new file that takes the old one's place, so that a
 * collector never reads half of one.  A path without %p is the first process's
 * alone, as with reports.
 */
#ifndef PS_SHIM_METRICS_H
#define PS_SHIM_METRICS_H

#include "record/reader.h"

/* From the constructor; whether there is anything to write. */
bool ps_metrics_init(void);

/* Write them when it is time, or when this is the end. */
void ps_metrics_step(const struct ps_reader *reader, bool is_last);

#endif /* PS_SHIM_METRICS_H */
