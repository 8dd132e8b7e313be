/* SPDX-License-Identifier: MIT */
/*
 * alert_record - alerts in the recording of this process
 *
 * Each rule has an equal share of the table, so that one that comes and goes
 * all day leaves room for the one that matters; when its share is used up, its
 * newest row is written over.  With an alert about memory go the sites that
 * hold most of the heap at that moment: what is written stays, whatever becomes
 * of the process.
 *
 * One thread at a time, which does not hold the recording's lock.
 */
#ifndef PS_MONITOR_ALERT_RECORD_H
#define PS_MONITOR_ALERT_RECORD_H

#include "monitor/queue.h"
#include "record/layout.h"

enum { PS_ALERT_SITES = 64 }; /* of a snapshot, at most */

/*
 * The alert, raised now by `thread`, of `rules` rules in all; `site` is the row
 * of its stack or UINT32_MAX.  NULL when there is no room (counted there).
 */
const struct ps_record_alert *ps_alert_record(const struct ps_alert *alert,
					      const struct ps_rules *rules,
					      ps_ticks now, uint32_t thread,
					      uint32_t site);

/* The recording is empty again (fork child). */
void ps_alert_record_reset(void);

#endif /* PS_MONITOR_ALERT_RECORD_H */
