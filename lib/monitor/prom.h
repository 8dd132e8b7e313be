/* SPDX-License-Identifier: MIT */
/*
 * prom - writes Prometheus' text exposition format
 *
 * A family is a head and then all of its samples, one after the other.  A value
 * that is not known is left out: a sample of 0 would be drawn as one.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef PS_MONITOR_PROM_H
#define PS_MONITOR_PROM_H

#include "base/text.h"
#include "monitor/window.h"

struct ps_prom_label {
	const char *name;
	const char *value; /* any bytes; cut at 120 */
};

struct ps_prom_labels {
	const struct ps_prom_label *label;
	uint32_t count;
};

/* type: "counter", "gauge", "histogram". */
void ps_prom_head(struct ps_text *t, const char *name, const char *type,
		  const char *help);
void ps_prom_sample(struct ps_text *t, const char *name,
		    const struct ps_prom_labels *labels, double value);
void ps_prom_count(struct ps_text *t, const char *name,
		   const struct ps_prom_labels *labels, uint64_t value);
/*
 * Buckets 1-2-5 from 100 ns to 100 s, then +Inf, sum and count, which agree
 * with each other whatever is written meanwhile.  A call is put under the first
 * bound that its own bucket (of 3 %) lies below as a whole.
 */
void ps_prom_histogram(struct ps_text *t, const char *name,
		       const struct ps_prom_labels *labels,
		       const struct ps_calls *calls, double tick_s);

#endif /* PS_MONITOR_PROM_H */
