/* SPDX-License-Identifier: MIT */
/*
 * view_alert - the alerts of a recording, as formatters read them
 */
#ifndef PS_REPORT_VIEW_ALERT_H
#define PS_REPORT_VIEW_ALERT_H

#include "record/reader.h"

struct ps_view_alert {
	struct ps_record_alert row; /* a copy that is whole */
	uint32_t version;	    /* another one: it was replaced */
	const char *rule;
	const char *section; /* NULL: none */
	double at_s;	     /* since the recording began; NAN: unknown */
	double time_s;	     /* since 1970 */
	const struct ps_record_site *site; /* its stack; NULL: not known */
	uint32_t sites; /* of the snapshot; 0 when it cannot be read */
};

/*
 * Alert `index`; false when there is none, or when it is being written over at
 * this moment.
 */
bool ps_view_alert(const struct ps_reader *r, uint32_t index,
		   struct ps_view_alert *out);

/*
 * Site `i` of its snapshot, most live bytes first: its stack, and what it held.
 * NULL: a bad reference.
 */
const struct ps_record_site *
ps_view_alert_site(const struct ps_reader *r, const struct ps_view_alert *alert,
		   uint32_t i, double *live_bytes, double *live_allocations);

#endif /* PS_REPORT_VIEW_ALERT_H */
