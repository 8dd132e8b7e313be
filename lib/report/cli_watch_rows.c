/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/recording_source.h"
#include "report/cli_watch_rows.h"

const char *
ps_watch_order_name(enum ps_watch_order order)
{
	static const char *const names[] = {"heap", "growth", "allocations",
					    "RSS", "pid"};

	_Static_assert(PS_COUNT(names) == PS_ORDERS, "one name each");
	PS_ASSERT(order < PS_ORDERS);
	return names[order];
}

static double
rss_of(int pid)
{
	char path[40];
	double pages = NAN;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return NAN;
	if (fscanf(file, "%*s %lf", &pages) != 1)
		pages = NAN;
	fclose(file);
	return pages * (double)sysconf(_SC_PAGESIZE);
}

static uint64_t
allocations_of(const struct ps_reader *r)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->count[PS_TABLE_THREADS]; i++) {
		const struct ps_record_thread *t =
		    ps_reader_row(r, PS_TABLE_THREADS, i);

		sum += t == NULL ? 0 : ps_peek(&t->allocations);
	}
	return sum;
}

static const struct ps_watch_past *
past_of(const struct ps_watch_rows *w, const struct ps_live_node *n)
{
	for (int i = 0; i < w->past_count; i++)
		if (w->past[i].inode == n->inode &&
		    w->past[i].device == n->device)
			return &w->past[i];
	return NULL;
}

static void
fill(struct ps_watch_row *row, const struct ps_live_node *n,
     const struct ps_watch_past *past, double now_s)
{
	const struct ps_record_header *h = n->reader.header;
	double s = past == NULL ? 0 : now_s - past->at_s;

	*row = (struct ps_watch_row){
	    .node = n,
	    .name = ps_reader_string(&n->reader, h->process.name),
	    .pid = h->process.pid,
	    .heap_bytes = ps_recording_level(&n->reader, PS_SUBJECT_HEAP),
	    .growth_per_s = NAN,
	    .allocations_per_s = NAN,
	    .rss_bytes = n->is_gone ? NAN : rss_of(h->process.pid),
	    .allocations = allocations_of(&n->reader),
	    .threads = (uint32_t)ps_peek(&h->process.threads_live),
	    .alerts = (uint32_t)ps_peek(&h->watch.alerts),
	};
	if (past == NULL || !(s > 0))
		return;
	row->growth_per_s = (row->heap_bytes - past->heap_bytes) / s;
	row->allocations_per_s =
	    (double)(row->allocations - past->allocations) / s;
}

/* ---- order -------------------------------------------------------------- */

static double
key_of(const struct ps_watch_row *row, enum ps_watch_order order)
{
	switch (order) {
	case PS_ORDER_HEAP:
		return row->heap_bytes;
	case PS_ORDER_GROWTH:
		return row->growth_per_s;
	case PS_ORDER_RATE:
		return row->allocations_per_s;
	case PS_ORDER_RSS:
		return row->rss_bytes;
	default:
		PS_ASSERT(order == PS_ORDER_PID);
		return -(double)row->pid;
	}
}

/* Greatest first; what is not known, last. */
static bool
comes_before(const struct ps_watch_row *a, const struct ps_watch_row *b,
	     enum ps_watch_order order)
{
	double x = key_of(a, order);
	double y = key_of(b, order);

	if (isnan(x) || isnan(y))
		return !isnan(x);
	return x > y;
}

static void
insert(struct ps_watch_rows *w, const struct ps_watch_row *row)
{
	int at = w->count++;

	PS_ASSERT(at < PS_LIVE_MAX);
	for (; at > 0 && comes_before(row, &w->row[at - 1], w->order); at--)
		w->row[at] = w->row[at - 1];
	w->row[at] = *row;
}

static void
remember(struct ps_watch_past *past, const struct ps_watch_row *row,
	 double now_s)
{
	*past = (struct ps_watch_past){
	    .device = row->node->device,
	    .inode = row->node->inode,
	    .at_s = now_s,
	    .heap_bytes = row->heap_bytes,
	    .allocations = row->allocations,
	};
}

void
ps_watch_rows_update(struct ps_watch_rows *w, const struct ps_live *live,
		     double now_s)
{
	static struct ps_watch_past now[PS_LIVE_MAX];
	struct ps_watch_row row;

	PS_ASSERT(live->count <= PS_LIVE_MAX && w->past_count <= PS_LIVE_MAX);
	PS_ASSERT(memchr(w->filter, '\0', sizeof(w->filter)) != NULL);
	w->count = 0;
	for (int i = 0; i < live->count; i++) {
		const struct ps_live_node *n = &live->node[i];

		fill(&row, n, past_of(w, n), now_s);
		remember(&now[i], &row, now_s);
		if (!n->is_superseded &&
		    strcasestr(row.name, w->filter) != NULL)
			insert(w, &row);
	}
	PS_ASSERT(w->count <= live->count);
	for (int i = 1; i < w->count; i++)
		PS_DEBUG_ASSERT(
		    !comes_before(&w->row[i], &w->row[i - 1], w->order));
	memcpy(w->past, now, sizeof(now));
	w->past_count = live->count;
}
