/* SPDX-License-Identifier: MIT */
/*
 * cli_watch_rows - the processes of --watch: figures, rates, order, filter
 *
 * Rates are over the time since the look before.  All of it is read from the
 * recordings and from /proc: the processes notice nothing.
 */
#ifndef PS_REPORT_CLI_WATCH_ROWS_H
#define PS_REPORT_CLI_WATCH_ROWS_H

#include "report/cli_live.h"

enum ps_watch_order {
	PS_ORDER_HEAP,
	PS_ORDER_GROWTH,
	PS_ORDER_RATE,
	PS_ORDER_RSS,
	PS_ORDER_PID,
	PS_ORDERS,
};

struct ps_watch_row {
	const struct ps_live_node *node;
	const char *name;
	int pid;
	double heap_bytes;
	double growth_per_s; /* NAN: not known yet */
	double allocations_per_s;
	double rss_bytes; /* NAN: the process is gone */
	uint64_t allocations;
	uint32_t threads;
	uint32_t alerts;
};

struct ps_watch_past {
	dev_t device;
	ino_t inode;
	double at_s;
	double heap_bytes;
	uint64_t allocations;
};

struct ps_watch_rows {
	struct ps_watch_row row[PS_LIVE_MAX];
	int count;
	struct ps_watch_past past[PS_LIVE_MAX]; /* of the look before */
	int past_count;
	enum ps_watch_order order;
	char filter[40]; /* a part of the name; "": all */
};

const char *ps_watch_order_name(enum ps_watch_order order);

/* What there is at now_s (any clock that only goes forward). */
void ps_watch_rows_update(struct ps_watch_rows *w, const struct ps_live *live,
			  double now_s);

#endif /* PS_REPORT_CLI_WATCH_ROWS_H */
