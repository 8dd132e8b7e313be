/* SPDX-License-Identifier: MIT */
/*
 * damage - how a program ends that misuses the heap: one line, then SIGABRT
 *
 * Nothing that may allocate or take a lock is called: the heap is broken.
 */
#include <signal.h>

#include "base/os.h"
#include "base/text.h"
#include "pool/bin.h"

enum { LINE_BYTES = 1400 };

static const char written[] = "a block was written to after it was freed, or "
			      "the one before it overran";
static ps_damage_teller *tell_more;

static _Noreturn void
die(const char *line)
{
	ps_os_complain(line);
	(void)ps_os_raise(SIGABRT);
	__builtin_trap(); /* it was blocked or ignored */
}

void
ps_damage_init(ps_damage_teller *teller)
{
	tell_more = teller;
}

void
ps_die_of(const char *call, const void *ptr, const char *what)
{
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "%s(%p): %s", call, ptr, what);
	if (ps_range_is_pool(ptr) && ps_peek(&ps_page_of(ptr)->owner) != 0)
		ps_text_printf(&t, " (in a page of blocks of %u bytes)",
			       ps_page_of(ptr)->block_bytes);
	if (tell_more != NULL)
		tell_more(ptr, &t);
	die(line);
}

void
ps_die_of_typed(const void *object, size_t bytes, const char *what)
{
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "perfshim_pool_free(%p): %s (objects of %zu bytes)",
		       object, what, bytes);
	die(line);
}

void
ps_die_of_overwritten_link(const void *block)
{
	ps_die_of("malloc", block, written);
}

void
ps_die_of_link(const void *link, uint32_t bytes)
{
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t,
		       "malloc: of the free blocks of %u bytes, %s; its first "
		       "word is now 0x%lx",
		       bytes, written,
		       (unsigned long)((uintptr_t)link ^ ps_range.link_key));
	die(line);
}

void
ps_die_of_cycle(const void *block)
{
	ps_die_of_free(block, "double free: it is free already");
}

/* Links are as the program left them: stop at the first that leads out. */
static bool
is_on(const void *list, const void *block)
{
	for (; list != NULL && ps_range_is_pool(list); list = ps_next_of(list))
		if (list == block)
			return true;
	return false;
}

void
ps_die_if_free(const struct ps_pool_heap *heap, const void *block)
{
	const struct ps_page *page = ps_page_of(block)->head;

	if (is_on(heap->bin[page->cls], block) || is_on(page->free, block))
		ps_die_of_free(block, "double free: it is free already");
}
