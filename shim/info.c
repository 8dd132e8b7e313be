/* SPDX-License-Identifier: MIT */
/*
 * info - glibc's allocator statistics and tuning, answered for our heap
 *
 * Left to libc they would describe a heap that nobody uses.  Figures are those
 * of the recording: block bytes in use, and address space taken.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "base/os.h"
#include "base/text.h"
#include "pool/heap.h"
#include "pool/jemalloc.h"
#include "record/fold.h"
#include "record/writer.h"
#include "shim/forked.h"
#include "shim/malloc.h"
#include "shim/thread.h"

/* MALLCTL_ARENAS_ALL: the index that means every arena. */
#define PURGE_ALL "arena.4096.purge"

static size_t
live_bytes(void)
{
	uint32_t rows;
	int64_t bytes = 0;

	if (ps_record == NULL)
		return 0;
	ps_forked_settle();
	rows = ps_peek(&ps_record->table[PS_TABLE_THREADS].count);
	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_thread *row =
		    ps_fold_entry(ps_record, PS_TABLE_THREADS, i);

		if (row == NULL)
			continue;
		bytes += (int64_t)(ps_peek(&row->large_bytes) -
				   ps_peek(&row->large_freed_bytes));
		for (unsigned c = 0; c < PS_CLASSES; c++)
			bytes += (int64_t)(ps_peek(&row->class_allocations[c]) -
					   ps_peek(&row->class_frees[c])) *
				 ps_class_bytes(c);
	}
	return bytes > 0 ? (size_t)bytes : 0;
}

PS_EXPORT struct mallinfo2
mallinfo2(void)
{
	struct mallinfo2 info = {0};

	info.uordblks = live_bytes();
	info.arena = PS_MAX(ps_range_taken_bytes(), info.uordblks);
	info.fordblks = info.arena - info.uordblks;
	return info;
}

/* The old form counts in int; what does not fit is the largest int. */
static int
clamp_int(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

PS_EXPORT struct mallinfo
mallinfo(void)
{
	struct mallinfo2 wide = mallinfo2();
	struct mallinfo info = {0};

	info.uordblks = clamp_int(wide.uordblks);
	info.arena = clamp_int(wide.arena);
	info.fordblks = clamp_int(wide.fordblks);
	return info;
}

/* Every parameter is accepted and has no effect. */
PS_EXPORT int
mallopt(int parameter, int value)
{
	(void)parameter;
	(void)value;
	return 1;
}

PS_EXPORT int
malloc_trim(size_t pad)
{
	(void)pad;
	ps_forked_settle(); /* of a child that has jemalloc's locks as they were
			     */
	return ps_range_has_jemalloc() &&
	       je_mallctl(PURGE_ALL, NULL, NULL, NULL, 0) == 0;
}

PS_EXPORT void
malloc_stats(void)
{
	char line[128];
	struct ps_text text;
	struct mallinfo2 info = mallinfo2();

	ps_text_init(&text, line, sizeof(line), -1);
	ps_text_printf(&text, "malloc_stats: %zu bytes in use, %zu taken",
		       info.uordblks, info.arena);
	ps_os_complain(line);
}

PS_EXPORT int
malloc_info(int options, FILE *stream)
{
	struct mallinfo2 info = mallinfo2();

	if (options != 0)
		return EINVAL;
	fprintf(stream,
		"<malloc version=\"1\">\n<system type=\"current\" "
		"size=\"%zu\"/>\n<aspace type=\"total\" size=\"%zu\"/>\n"
		"</malloc>\n",
		info.uordblks, info.arena);
	return 0;
}
