/* SPDX-License-Identifier: MIT */
/*
 * deliver - tells whoever PERFSHIM_ALERT_TO names of an alert, without waiting
 *
 * stderr gets a line in words, and only from the process that may speak there;
 * a file, a pipe or a UNIX datagram socket gets a line of JSON.  They are
 * opened for the moment, so a log that is rotated, a directory that comes back
 * and a reader that was started again are found.  A write to a plain file may
 * wait for its disk; nothing else waits.
 */
#ifndef PS_SHIM_DELIVER_H
#define PS_SHIM_DELIVER_H

#include "monitor/queue.h"

/* From the constructor. */
void ps_deliver_init(void);

/* True when it was taken, or nobody wants it.  One thread at a time. */
bool ps_deliver(const struct ps_alert *alert, const struct ps_rule *rule,
		uint32_t thread, const char *section);

#endif /* PS_SHIM_DELIVER_H */
