/* SPDX-License-Identifier: MIT */
/*
 * prometheus - recordings as Prometheus metrics
 *
 * Families perfshim_*, in seconds and bytes, each with pid and exe as labels.
 * Bounded: of the sections of a process, the PS_PROM_SECTIONS with most total
 * time; how many are left out is a metric of its own.  No allocation sites:
 * their names are without bound, and a report has them.
 *
 * Used by the preload and by perfreport; no malloc, no stdio.
 */
#ifndef PS_REPORT_PROMETHEUS_H
#define PS_REPORT_PROMETHEUS_H

#include "base/scratch.h"
#include "base/text.h"
#include "record/reader.h"

enum { PS_PROM_SECTIONS = 100 };

/* `readers` points to `count` readers; 0, or -ENOMEM. */
int ps_report_prometheus(const struct ps_reader *const *readers, uint32_t count,
			 struct ps_scratch *scratch, struct ps_text *out);

#endif /* PS_REPORT_PROMETHEUS_H */
