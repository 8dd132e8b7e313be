/* SPDX-License-Identifier: MIT */
/*
 * layout - version 6 of the format, pinned
 *
 * Nothing is computed here.  A recording is read by other builds than the one
 * that wrote it, so a member that is added, moved or padded in another way is a
 * new version: then these figures change together with PS_RECORD_VERSION.
 */
#include "record/layout.h"

#define SIZE(type, bytes)                                                      \
	_Static_assert(sizeof(type) == (bytes), "a new version: " #type)
#define AT(type, member, offset)                                               \
	_Static_assert(offsetof(type, member) == (offset),                     \
		       "a new version: " #type "." #member)

_Static_assert(PS_RECORD_VERSION == 6, "the figures are of version 6");
_Static_assert(PS_TABLES == 12, "a new version");
_Static_assert(PS_CLASS_SLOTS == 41 && PS_LIFETIMES == 12, "a new version");
_Static_assert(PS_RECORD_HEADER_BYTES % 4096 == 0, "tables begin on pages");
_Static_assert(PS_STACK_DEPTH_MAX <= UINT16_MAX, "a site's depth");
_Static_assert(sizeof(double) == 8, "stands for its 8 bytes in the file");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as in the file");

SIZE(struct ps_record_table, 32);
SIZE(struct ps_record_process, 144);
SIZE(struct ps_record_clock, 48);
SIZE(struct ps_record_sampling, 32);
SIZE(struct ps_record_heap, 240);
SIZE(struct ps_record_tick, 32);
SIZE(struct ps_record_timeline, 16400);
SIZE(struct ps_record_overhead, 40);
SIZE(struct ps_record_watch, 32);
SIZE(struct ps_record_fold, 72);
SIZE(struct ps_record_module, 64);
SIZE(struct ps_record_frame, 24);
SIZE(struct ps_record_site, 128);
SIZE(struct ps_record_thread, 1024);
SIZE(struct ps_record_alert, 80);
SIZE(struct ps_record_alert_site, 24);
SIZE(struct ps_record_section, 32);
SIZE(struct ps_record_slow_call, 24);
SIZE(struct ps_record_usage, 64);
SIZE(struct ps_record_section_stats, 5576);
SIZE(struct ps_record_section_node, 32);
SIZE(struct ps_record_event, 40);
SIZE(struct ps_calibration, 232);
SIZE(struct ps_record_header, 17672);
AT(struct ps_record_header, version, 8);
AT(struct ps_record_header, header_bytes, 12);
AT(struct ps_record_header, file_bytes, 16);
AT(struct ps_record_header, is_ready, 24);
AT(struct ps_record_header, table, 32);
AT(struct ps_record_header, process, 416);
AT(struct ps_record_header, clock, 560);
AT(struct ps_record_header, calibration, 608);
AT(struct ps_record_header, sampling, 840);
AT(struct ps_record_header, heap, 872);
AT(struct ps_record_header, overhead, 1112);
AT(struct ps_record_header, watch, 1152);
AT(struct ps_record_header, fold, 1184);
AT(struct ps_record_header, no_space, 1256);
AT(struct ps_record_header, timeline, 1272);
AT(struct ps_record_process, state, 80);
AT(struct ps_record_process, user_ns, 96);
AT(struct ps_record_site, samples, 24);
AT(struct ps_record_site, live_allocations, 64);
AT(struct ps_record_thread, tid, 24);
AT(struct ps_record_thread, name, 32);
AT(struct ps_record_thread, lifetime_frees, 784);
AT(struct ps_record_section_stats, slowest, 136);
AT(struct ps_record_section_stats, every, 328);
AT(struct ps_record_section_stats, histogram, 456);
AT(struct ps_record_alert, value, 24);
AT(struct ps_record_alert, live_bytes, 72);
