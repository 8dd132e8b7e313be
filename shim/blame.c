/* SPDX-License-Identifier: MIT */
/*
 * blame - what the recording knows of a block that is misused
 *
 * A sampled block has its sample's index beside it while it lives, and its
 * site's once it is freed (shim/picked.h), so both have a stack to show.  Of
 * plain blocks nothing is known but their size; the line says how to learn
 * more.
 */
#include <string.h>

#include "base/os.h"
#include "base/scratch.h"
#include "pool/damage.h"
#include "pool/heap.h"
#include "record/reader.h"
#include "record/writer.h"
#include "report/symbol_elf.h"
#include "shim/blame.h"
#include "profile/sample.h"
#include "shim/unwind.h"
#include "shim/unwind_module.h"

enum {
	FRAMES_MAX = 8,
	SCRATCH_BYTES = 64 << 20,
	MIN_ALIGN = 16,
	LIBC_CHUNK_MIN = 32,
};
#define LIBC_CHUNK_MAX ((size_t)1 << 47)

/* ---- stacks ------------------------------------------------------------- */

/* false: it is main, and what is below is of no use. */
static bool
put_frame(struct ps_text *t, struct ps_symbols *symbols, uint32_t frame)
{
	struct ps_symbol s = {.module = "?"};

	if (symbols != NULL)
		(void)symbols->resolve(symbols, frame, &s);
	if (s.function != NULL)
		ps_text_printf(t, "%s ", s.function);
	ps_text_printf(t, "(%s+0x%lx)", s.module, (unsigned long)s.offset);
	return s.function == NULL || strcmp(s.function, "main") != 0;
}

static void
put_frames(struct ps_text *t, const struct ps_reader *reader,
	   struct ps_scratch *scratch, const struct ps_record_site *site)
{
	uint32_t frames[PS_STACK_DEPTH_MAX];
	uint32_t depth = ps_reader_stack(reader, site, frames);
	struct ps_symbols *symbols =
	    ps_symbols_elf(scratch, reader, NULL, NULL);

	for (uint32_t i = 0; i < depth && i < FRAMES_MAX; i++) {
		ps_text_str(t, i == 0 ? "" : " < ");
		if (!put_frame(t, symbols, frames[i]))
			return;
	}
	if (depth > FRAMES_MAX)
		ps_text_str(t, " < ...");
}

void
ps_blame_stack(struct ps_text *t, const char *word, uint32_t site)
{
	const struct ps_record_site *entry;
	struct ps_scratch scratch;
	struct ps_reader reader;
	const char *why;

	if (ps_record == NULL ||
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why) !=
		0)
		return;
	entry = ps_reader_entry(&reader, PS_TABLE_SITES, site);
	if (entry == NULL || entry->depth == 0)
		return;
	ps_text_printf(t, ", %s by ", word);
	ps_scratch_init(&scratch, SCRATCH_BYTES);
	put_frames(t, &reader, &scratch, entry);
	ps_scratch_fini(&scratch);
}

static void
tell_sampled(struct ps_text *t, const struct ps_page *page, const void *block)
{
	uint32_t epoch;
	uint32_t site;

	if (ps_mark_origin(ps_page_mark(page, block), &site, &epoch) &&
	    epoch == ps_sample_epoch())
		ps_blame_stack(t, "allocated", site);
}

static void
tell(const void *ptr, struct ps_text *t)
{
	const struct ps_page *page;
	uintptr_t owner;

	if (!ps_range_is_pool(ptr))
		return;
	page = ps_page_of(ptr);
	owner = ps_peek(&page->owner);
	if (owner == 0)
		return;
	if ((owner & PS_PAGE_KIND_MASK) == PS_PAGE_SAMPLED)
		tell_sampled(t, page, ps_page_block(page, ptr));
	else
		ps_text_str(t, "; run it with PERFSHIM_HARDEN=full for stacks");
}

void
ps_blame_init(void)
{
	ps_damage_init(tell);
}

/* ---- pointers of nobody's ----------------------------------------------- */

/*
 * Whether libc's own malloc may have made it, for a library that was loaded
 * with RTLD_DEEPBIND or into a namespace of its own: there is a size before it
 * as glibc writes it, a multiple of 16 with flags in the low three bits.
 */
static bool
may_be_libcs(const void *ptr)
{
	const size_t *head = (const size_t *)ptr - 2;
	size_t bytes;

	if ((uintptr_t)ptr % MIN_ALIGN != 0 || !ps_os_is_mapped(head))
		return false;
	bytes = head[1] & ~(size_t)7;
	return bytes >= LIBC_CHUNK_MIN && bytes % MIN_ALIGN == 0 &&
	       bytes < LIBC_CHUNK_MAX;
}

static bool
is_on_stack(const void *ptr)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low;
	uintptr_t high;

	return ps_unwind_stack_bounds(here, &low, &high) &&
	       (uintptr_t)ptr - low < high - low;
}

void
ps_blame_foreign(const char *call, const void *ptr)
{
	struct ps_unwind_module module;

	if (is_on_stack(ptr))
		ps_die_of(call, ptr, "this is on the thread's stack");
	if (ps_unwind_find_module((uintptr_t)ptr, &module))
		ps_die_of(call, ptr,
			  "this is in a program's or library's data");
	if (!may_be_libcs(ptr))
		ps_die_of(call, ptr, "not a block of the heap");
}
