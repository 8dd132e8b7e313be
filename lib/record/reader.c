/* SPDX-License-Identifier: MIT */
/*
 * reader - checks a recording once, then hands out pointers into it
 *
 * Everything that a pointer is made from is checked at opening: header size
 * and version, each table's entry size, alignment and range, that no two
 * tables overlap, and that the file is as long as it says.  Counts are read
 * once (the writer may be alive) and clamped to capacity.  References inside
 * entries - strings, stacks - are checked when they are followed, because
 * checking them all would touch every page of the file.  Such a reference is
 * read once (ps_once): a writer that lives may change it after the check.
 *
 * A file that is cut short while it is mapped is SIGBUS for its reader, which
 * no check can rule out; our writer never shortens one, and perfreport catches
 * it (cli_cut.c).
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "record/fold.h"
#include "record/plan.h"
#include "record/reader.h"

static int
fail(int error, const char *reason, const char **why)
{
	PS_ASSERT(error < 0);
	if (why != NULL)
		*why = reason;
	return error;
}

static const char *
reason_of_open(int error)
{
	switch (error) {
	case -ENOENT:
		return "no such file";
	case -EACCES:
	case -EPERM:
		return "permission denied";
	case -EINVAL:
		return "not a regular file";
	case -ENODATA:
		return "too short for a recording";
	case -ENOMEM:
		return "no memory to map it";
	default:
		return "cannot be opened";
	}
}

/* ---- checking ---- */

static uint64_t
table_bytes(const struct ps_record_table *table)
{
	return (uint64_t)table->entry_bytes * table->capacity;
}

static bool
is_table_inside(const struct ps_record_table *table, unsigned id, uint64_t end)
{
	return table->entry_bytes == ps_record_plan[id].entry_bytes &&
	       table->offset % PS_RECORD_ALIGN == 0 &&
	       table->offset >= PS_RECORD_HEADER_BYTES &&
	       table->offset <= end &&
	       table_bytes(table) <= end - table->offset;
}

static bool
is_overlapping(const struct ps_record_table *a, const struct ps_record_table *b)
{
	return a->offset < b->offset + table_bytes(b) &&
	       b->offset < a->offset + table_bytes(a);
}

/* Tables end at or before `end`, and have no byte in common. */
static bool
are_tables_good(const struct ps_record_table *table, uint64_t end)
{
	for (unsigned i = 0; i < PS_TABLES; i++) {
		if (!is_table_inside(&table[i], i, end))
			return false;
		for (unsigned j = 0; j < i; j++)
			if (is_overlapping(&table[i], &table[j]))
				return false;
	}
	return true;
}

static int
check_header(const struct ps_record_header *h, size_t bytes, const char **why)
{
	if (bytes < PS_RECORD_HEADER_BYTES)
		return fail(-EINVAL, "too short for a recording", why);
	if (memcmp(h->magic, PS_RECORD_MAGIC, sizeof(h->magic)) != 0)
		return fail(-EINVAL, "not a recording", why);
	if (h->version != PS_RECORD_VERSION)
		return fail(-EPROTO, "another version of the format", why);
	/* acquire: pairs with the release in writer.c */
	if (atomic_load_explicit(&h->is_ready, memory_order_acquire) != 1)
		return fail(-EAGAIN, "still being set up", why);
	if (h->header_bytes != PS_RECORD_HEADER_BYTES)
		return fail(-EBADMSG, "damaged: size of the header", why);
	if (h->file_bytes > bytes || h->file_bytes < PS_RECORD_HEADER_BYTES)
		return fail(-EBADMSG, "damaged: cut short", why);
	return 0;
}

int
ps_reader_attach(struct ps_reader *r, const void *memory, size_t bytes,
		 const char **why)
{
	const struct ps_record_header *h = memory;
	struct ps_record_table table[PS_TABLES];
	int err;

	if ((uintptr_t)memory % PS_CACHE_LINE != 0)
		return fail(-EINVAL, "not aligned", why);
	err = check_header(h, bytes, why);
	if (err != 0)
		return err;
	/* A copy, so that what was checked is what is used. */
	memcpy(table, h->table, sizeof(table));
	if (!are_tables_good(table, bytes))
		return fail(-EBADMSG, "damaged: place of a table", why);
	*r = (struct ps_reader){.header = h, .bytes = bytes};
	for (unsigned i = 0; i < PS_TABLES; i++) {
		/* acquire: pairs with ps_record_publish */
		uint32_t count = atomic_load_explicit(&h->table[i].count,
						      memory_order_acquire);

		r->count[i] = PS_MIN(count, table[i].capacity);
		r->start[i] = (const char *)memory + table[i].offset;
	}
	return 0;
}

/* ---- opening ---- */

int
ps_reader_open(struct ps_reader *r, const char *path, const char **why)
{
	const void *memory;
	size_t bytes = 0;
	int err = ps_os_map_regular(path, PS_RECORD_HEADER_BYTES, SIZE_MAX,
				    &memory, &bytes);

	if (err != 0)
		return fail(err, reason_of_open(err), why);
	err = ps_reader_attach(r, memory, bytes, why);
	if (err != 0) {
		ps_os_unmap((void *)memory, bytes);
		return err;
	}
	r->is_mapped = true;
	return 0;
}

void
ps_reader_close(struct ps_reader *r)
{
	if (r->is_mapped)
		ps_os_unmap((void *)r->header, r->bytes);
	*r = (struct ps_reader){0};
}

/* ---- following references ---- */

const void *
ps_reader_entry(const struct ps_reader *r, enum ps_table_id id, uint32_t index)
{
	PS_ASSERT(r->header != NULL && id < PS_TABLES);
	if (index >= r->count[id])
		return NULL;
	return r->start[id] + (uint64_t)index * ps_record_plan[id].entry_bytes;
}

const void *
ps_reader_row(const struct ps_reader *r, enum ps_table_id id, uint32_t index)
{
	return ps_reader_entry(r, id, ps_fold_row(&r->header->fold, id, index));
}

uint64_t
ps_reader_folds(const struct ps_reader *r)
{
	/* Loads before and after stay on their sides. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&r->header->fold.steps,
				    memory_order_seq_cst);
}

const char *
ps_reader_string(const struct ps_reader *r, uint32_t offset)
{
	uint32_t count = r->count[PS_TABLE_STRINGS];
	const char *at;

	PS_ASSERT(r->header != NULL);
	if (offset >= count)
		return "";
	at = r->start[PS_TABLE_STRINGS] + offset;
	return memchr(at, 0, count - offset) != NULL ? at : "";
}

/* What the preload itself called is no part of the program's stacks. */
static bool
is_own_frame(const struct ps_reader *r, uint32_t row)
{
	const struct ps_record_frame *frame =
	    ps_reader_entry(r, PS_TABLE_FRAMES, row);

	return frame != NULL && (frame->flags & PS_FRAME_OWN) != 0;
}

uint32_t
ps_reader_stack(const struct ps_reader *r, const struct ps_record_site *site,
		uint32_t *frames)
{
	const uint32_t *table =
	    (const uint32_t *)r->start[PS_TABLE_STACK_FRAMES];
	uint32_t count = r->count[PS_TABLE_STACK_FRAMES];
	uint32_t at = ps_once(site->first_frame);
	uint32_t length = ps_once(site->depth);
	uint32_t depth = 0;

	if (length > PS_STACK_DEPTH_MAX)
		return 0;
	for (uint32_t i = 0; i < length; i++, at++) {
		uint32_t entry = at < count ? ps_once(table[at]) : UINT32_MAX;

		if (ps_stack_is_link(entry)) {
			at = entry & ~PS_STACK_LINK;
			entry = at < count ? ps_once(table[at]) : UINT32_MAX;
		}
		if (at >= count || ps_stack_is_link(entry))
			return 0;
		if (!is_own_frame(r, entry))
			frames[depth++] = entry;
	}
	return depth;
}

/* ---- time ---- */

uint32_t
ps_reader_slots(const struct ps_reader *r)
{
	uint32_t count = ps_peek(&r->header->timeline.count);

	return PS_MIN(count, (uint32_t)PS_TIMELINE_SLOTS);
}

double
ps_reader_tick_seconds(const struct ps_reader *r)
{
	const struct ps_record_clock *clock = &r->header->clock;
	const double enough_ns =
	    1e6; /* two points 1 ms apart: 1e-4 or better */
	double tsc_hz = r->header->calibration.tsc_hz;
	double ticks =
	    (double)ps_peek(&clock->last_ticks) - (double)clock->start_ticks;
	double ns = (double)ps_peek(&clock->last_ns) - (double)clock->start_ns;

	if (clock->kind == PS_CLOCK_MONOTONIC)
		return 1e-9;
	if (ticks > 0 && ns >= enough_ns)
		return ns * 1e-9 / ticks;
	if (tsc_hz > 0)
		return 1 / tsc_hz;
	return ticks > 0 && ns > 0 ? ns * 1e-9 / ticks : __builtin_nan("");
}

double
ps_reader_seconds(const struct ps_reader *r, uint64_t ticks)
{
	int64_t since = (int64_t)(ticks - r->header->clock.start_ticks);

	return (double)since * ps_reader_tick_seconds(r);
}
