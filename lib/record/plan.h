/* SPDX-License-Identifier: MIT */
/*
 * plan - how large the tables of a recording are
 *
 * The capacities are the writer's choice and are written into each header;
 * the entry sizes belong to the format, and a reader insists on them.
 */
#ifndef PS_RECORD_PLAN_H
#define PS_RECORD_PLAN_H

#include "record/layout.h"

enum { PS_RECORD_ALIGN = 4096 };

struct ps_record_plan {
	uint32_t entry_bytes;
	uint32_t capacity;
};

/*
 * 53 MiB of address space in all.  Memory and disk are used as tables fill:
 * a small program's recording takes 20 to 60 KiB.
 */
static const struct ps_record_plan ps_record_plan[PS_TABLES] = {
    [PS_TABLE_STRINGS] = {1, (2 << 20) - (128 << 10)},
    [PS_TABLE_MODULES] = {sizeof(struct ps_record_module), 2048},
    [PS_TABLE_FRAMES] = {sizeof(struct ps_record_frame), 262144},
    [PS_TABLE_STACK_FRAMES] = {sizeof(uint32_t), 2097152},
    [PS_TABLE_SITES] = {sizeof(struct ps_record_site), 65536},
    [PS_TABLE_THREADS] = {sizeof(struct ps_record_thread), 2048},
    [PS_TABLE_SECTIONS] = {sizeof(struct ps_record_section), 4096},
    [PS_TABLE_SECTION_STATS] = {sizeof(struct ps_record_section_stats), 3000},
    [PS_TABLE_SECTION_NODES] = {sizeof(struct ps_record_section_node), 16384},
    [PS_TABLE_EVENTS] = {sizeof(struct ps_record_event), 1 << 18},
    [PS_TABLE_ALERTS] = {sizeof(struct ps_record_alert), 256},
    [PS_TABLE_ALERT_SITES] = {sizeof(struct ps_record_alert_site), 16384},
};

/*
 * The order in which they lie.  What every process has comes first: header,
 * strings and a few threads within 2 MiB take one page of the kernel's tables.
 */
static const uint8_t ps_record_order[PS_TABLES] = {
    PS_TABLE_STRINGS,  PS_TABLE_THREADS,       PS_TABLE_MODULES,
    PS_TABLE_FRAMES,   PS_TABLE_STACK_FRAMES,  PS_TABLE_SITES,
    PS_TABLE_SECTIONS, PS_TABLE_SECTION_STATS, PS_TABLE_SECTION_NODES,
    PS_TABLE_EVENTS,   PS_TABLE_ALERTS,	       PS_TABLE_ALERT_SITES,
};

/* Bytes of a table, to the start of the next one. */
static inline uint64_t
ps_record_plan_bytes(enum ps_table_id id)
{
	uint64_t bytes = (uint64_t)ps_record_plan[id].entry_bytes *
			 ps_record_plan[id].capacity;

	return PS_ROUND_UP(bytes, (uint64_t)PS_RECORD_ALIGN);
}

#endif /* PS_RECORD_PLAN_H */
