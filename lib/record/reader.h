/* SPDX-License-Identifier: MIT */
/*
 * reader - a recording from the outside, treated as hostile
 *
 * ps_reader_open maps a file and checks every offset, count and size once, so
 * that the accessors below can be used without further checks.  A live
 * recording keeps changing while it is read; counts are read once at opening
 * and values are whatever they are at the moment.
 */
#ifndef PS_RECORD_READER_H
#define PS_RECORD_READER_H

#include "record/layout.h"

struct ps_reader {
	const struct ps_record_header *header;
	size_t bytes;
	uint32_t count[PS_TABLES];    /* checked against capacity and size */
	const char *start[PS_TABLES]; /* as checked; the file may change */
	bool is_mapped;		      /* by ps_reader_open: unmapped by close */
	uint32_t merged; /* processes it is of, if made by ps_merge */
};

/*
 * 0, or -errno with *why naming what is wrong (a static string): -ENOENT,
 * -EACCES ..., -EINVAL not a recording, -EPROTO another version, -EBADMSG
 * damaged, -EAGAIN still being set up.
 */
int ps_reader_open(struct ps_reader *r, const char *path, const char **why);
/* The recording of this very process, already in memory. */
int ps_reader_attach(struct ps_reader *r, const void *memory, size_t bytes,
		     const char **why);
void ps_reader_close(struct ps_reader *r);

/* Entry below r->count[id]; NULL otherwise. */
const void *ps_reader_entry(const struct ps_reader *r, enum ps_table_id id,
			    uint32_t index);
/*
 * The same for a table whose rows are added up (THREADS, SECTION_STATS,
 * SECTION_NODES): the row to count as number `index`, NULL when none is.
 */
const void *ps_reader_row(const struct ps_reader *r, enum ps_table_id id,
			  uint32_t index);
/*
 * Changes when rows of ended threads are added to others: a sum over rows of a
 * live recording is right when this is the same before and after.
 */
uint64_t ps_reader_folds(const struct ps_reader *r);
/* Zero-terminated inside the recording, "" for any bad reference. */
const char *ps_reader_string(const struct ps_reader *r, uint32_t offset);
/* How many frames a site has, and these, leaf first, in room for
 * PS_STACK_DEPTH_MAX, without the preload's own; 0 when its reference is bad.
 */
uint32_t ps_reader_stack(const struct ps_reader *r,
			 const struct ps_record_site *site, uint32_t *frames);
/* How much of a module's build-id there is. */
static inline uint32_t
ps_reader_id_bytes(const struct ps_record_module *module)
{
	uint32_t bytes = ps_once(module->build_id_bytes);

	return PS_MIN(bytes, (uint32_t)sizeof(module->build_id));
}

/* How many slots of the header's timeline are there. */
uint32_t ps_reader_slots(const struct ps_reader *r);
/*
 * Seconds from the start of the recording to a tick, and of one tick; nan when
 * the recording does not say (it died before its clock's second point).
 */
double ps_reader_seconds(const struct ps_reader *r, uint64_t ticks);
double ps_reader_tick_seconds(const struct ps_reader *r);

#endif /* PS_RECORD_READER_H */
