/* SPDX-License-Identifier: MIT */
/*
 * calibration_settle - what is known of this machine, or measured of it now
 *
 * Quick sees three milliseconds of a machine whose core may just then run at
 * another clock, or share its memory.  So the first PS_QUICK_ROUNDS processes
 * of a boot that end PS_QUICK_APART_NS after one another measure a round each,
 * the cache keeps all of them, and their median is the calibration.  After that
 * none measures again.  Ten such medians on a shared Emerald Rapids were apart
 * by 0.3 % for the core and its caches and 2.4 % for memory, where ten single
 * rounds were by 4 to 16 (bench_machine).  The obvious alternative, one process
 * that measures for longer, makes that one wait, and sees one moment all the
 * same.
 *
 * Two processes that end at the same time lose one of their rounds, no more.
 */
#ifndef PS_CALIBRATION_SETTLE_H
#define PS_CALIBRATION_SETTLE_H

#include "measure/calibration.h"

enum { PS_QUICK_ROUNDS = 9, PS_QUICK_APART_NS = 1000000000 };

/*
 * The calibration of at least that kind.  `path` and `key` say where the cache
 * is, NULL: nowhere; `now_ns` is a clock that all processes of the boot share.
 * Up to a second for PS_CALIBRATION_FULL.  0, or -errno of what failed: the
 * measuring, and *out has what was known, if anything was, or else is left
 * alone; or the keeping, and *out has what was measured.
 */
int ps_calibration_settle(enum ps_calibration_kind kind, const char *path,
			  const struct ps_calibration_key *key, uint64_t now_ns,
			  struct ps_calibration *out);

#endif /* PS_CALIBRATION_SETTLE_H */
