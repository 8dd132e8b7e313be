/* SPDX-License-Identifier: MIT */
/*
 * formats - a recording of bytes that nobody vouches for, in every format
 *
 * What is written is thrown away; that it is right is tested elsewhere.  Names
 * come from nobody: elfutils is not what is tested here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/callgrind.h"
#include "report/diff.h"
#include "report/filter.h"
#include "report/flame.h"
#include "report/folded.h"
#include "report/massif.h"
#include "report/merge.h"
#include "report/pprof.h"
#include "report/prometheus.h"
#include "report/section_folded.h"
#include "report/section_hgrm.h"
#include "report/section_pprof.h"
#include "report/section_trace.h"
#include "tests/fuzz/formats.h"

enum {
	PAGE = 4096,
	SCRATCH_LIMIT = 256 << 20,
	LITTLE = 256 << 10, /* memory that ends before it is enough */
};

static void
write_sections(const struct ps_view *view, struct ps_scratch *scratch,
	       struct ps_text *t)
{
	struct ps_section_pprof pprof;

	for (uint32_t i = 0; i < view->section_count; i++)
		(void)ps_section_hgrm(view, view->sections[i].name, scratch, t);
	ps_section_folded(view, t);
	(void)ps_section_folded_both(view, view, scratch, t);
	ps_section_pprof_begin(&pprof, t);
	ps_section_pprof_add(&pprof, view, 1);
	ps_section_pprof_add(&pprof, view, -1);
	(void)ps_section_trace(view, t);
	(void)ps_report_prometheus(&view->reader, 1, scratch, t);
}

static void
write_all(const struct ps_reader *reader, struct ps_scratch *scratch,
	  struct ps_row_judge *judge)
{
	static char buffer[4096]; /* the rest is cut */
	const struct ps_report_options options = {
	    .exit_code = -1,
	    .top = 100,
	    .judge = judge,
	};
	struct ps_symbols *symbols = ps_symbols_none(scratch, reader);
	struct ps_pprof *pprof;
	struct ps_view view;
	struct ps_text t;

	ps_text_init(&t, buffer, sizeof(buffer), -1);
	if (symbols == NULL ||
	    ps_view_build(reader, &options, scratch, &view) != 0)
		return;
	const struct ps_diff_side side = {&view, symbols};

	for (unsigned f = PS_REPORT_TEXT; f <= PS_REPORT_JSON; f++)
		(void)ps_report_write_view(&view, symbols, scratch, f, &options,
					   &t);
	for (unsigned k = PS_BY_ALLOCATIONS; k <= PS_BY_TEMPORARY; k++)
		(void)ps_folded(&view, symbols, k, scratch, &t);
	(void)ps_callgrind(&view, symbols, scratch, &t);
	(void)ps_flame_of_view(&view, symbols, scratch, &t);
	(void)ps_massif(&view, symbols, scratch, &t);
	(void)ps_diff_text(&side, &side, 0, scratch, &t);
	(void)ps_diff_folded(&side, &side, PS_BY_PEAK, scratch, &t);
	write_sections(&view, scratch, &t);
	pprof = ps_pprof_begin(scratch, PS_BY_PEAK, &t);
	if (pprof != NULL) {
		(void)ps_pprof_add(pprof, &view, symbols, 1);
		(void)ps_pprof_add(pprof, &view, symbols, -1);
		(void)ps_pprof_end(pprof);
	}
}

/* The header of a recording, with nothing in its tables. */
static void
empty_like(const struct ps_reader *reader, struct ps_reader *out)
{
	static PS_ALIGNED(PAGE) char memory[PS_RECORD_HEADER_BYTES];
	struct ps_record_header *h = (void *)memory;

	memcpy(memory, reader->header, sizeof(memory));
	h->file_bytes = sizeof(memory);
	for (unsigned i = 0; i < PS_TABLES; i++) {
		h->table[i].offset = sizeof(memory);
		h->table[i].capacity = 0;
	}
	if (ps_reader_attach(out, memory, sizeof(memory), NULL) != 0)
		abort();
}

/*
 * With itself, and with an empty one, before or behind it: then there is the
 * room that the recording had, and no more.  What comes of the first is told.
 */
static void
merge_it(const struct ps_reader *reader, size_t limit)
{
	struct ps_reader empty;
	const struct ps_reader *const pairs[][2] = {
	    {reader, reader}, {reader, &empty}, {&empty, reader}};
	struct ps_scratch scratch;
	struct ps_reader merged;

	empty_like(reader, &empty);
	for (unsigned i = 0; i < PS_COUNT(pairs); i++) {
		ps_scratch_init(&scratch, limit);
		if (ps_merge_fits(reader, reader) &&
		    ps_merge(pairs[i], 2, &scratch, &merged) == 0 && i == 0 &&
		    limit == SCRATCH_LIMIT)
			write_all(&merged, &scratch, NULL);
		ps_scratch_fini(&scratch);
	}
}

static void
read_it(const void *memory, size_t size)
{
	static const char *patterns[] = {"*e*"};
	static const struct ps_suppressions suppressions = {patterns, 1};
	struct ps_filter filter = {
	    .function = "*",
	    .suppressions = &suppressions,
	};
	struct ps_reader reader;
	struct ps_scratch scratch;

	if (ps_reader_attach(&reader, memory, size, NULL) != 0)
		return;
	ps_scratch_init(&scratch, SCRATCH_LIMIT);
	write_all(&reader, &scratch, NULL);
	ps_filter_init(&filter);
	filter.symbols = ps_symbols_none(&scratch, &reader);
	filter.names = ps_scratch_alloc(&scratch, sizeof(*filter.names));
	if (filter.symbols != NULL && filter.names != NULL)
		write_all(&reader, &scratch, &filter.base);
	ps_scratch_fini(&scratch);
	merge_it(&reader, SCRATCH_LIMIT);
	merge_it(&reader, LITTLE << (size / sizeof(uint64_t)) % 4);
}

void
ps_test_formats(const void *bytes, size_t size)
{
	size_t pages = PS_ROUND_UP(size, (size_t)PAGE) + PAGE;
	char *memory = mmap(NULL, pages, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	/* Aligned as files are mapped; the last page cannot be touched. */
	if (size > 0)
		memcpy(memory, bytes, size);
	(void)mprotect(memory + pages - PAGE, PAGE, PROT_NONE);
	read_it(memory, size);
	(void)munmap(memory, pages);
}
