/* SPDX-License-Identifier: MIT */
/*
 * monitor_state - what a monitor is made of; for monitor*.c only
 */
#ifndef PS_MONITOR_STATE_H
#define PS_MONITOR_STATE_H

#include "base/lock.h"
#include "monitor/engine.h"
#include "monitor/monitor.h"

struct ps_operation {
	_Atomic uint64_t calls; /* written by any thread that records */
	_Atomic uint64_t errors;
	_Atomic uint64_t over;
	_Atomic uint64_t total_ns;
	_Atomic uint64_t max_ns;
	_Atomic uint64_t limit_ns; /* 0: none */
	_Atomic uint32_t histogram[PS_HIST_BUCKETS];
	char name[PS_RULE_NAME_MAX];
};

struct ps_monitor {
	struct ps_operation operation[PS_MONITOR_OPERATIONS];
	_Atomic uint32_t operations; /* complete ones */
	struct ps_lock names_lock;
	_Atomic uint64_t raised[PS_SEVERITY_CRITICAL + 1]; /* alerts so far */
	_Atomic double level[PS_SUBJECT_SECTION];
	struct ps_queue queue;
	struct ps_engine engine; /* whoever steps */
};

/* What is known of an operation, copied while others record. */
void ps_monitor_calls(const struct ps_monitor *m, uint32_t operation,
		      struct ps_calls *out);

#endif /* PS_MONITOR_STATE_H */
