/* SPDX-License-Identifier: MIT */
/*
 * harden - PERFSHIM_HARDEN=full: blocks of a program under test for misuse
 *
 * A block comes from the guarded range (pool/guard.h) while that has room for
 * more live ones, else from a sampled page with at least 16 marked bytes behind
 * it; larger ones that the guarded range does not serve are plain.  What is
 * freed waits: places of the range without their pages, blocks of sampled pages
 * full of a pattern (pool/poison.h).
 *
 * What is seen when: reads and writes beyond the end or after free, of guarded
 * blocks, at once, by a fault; writes around a block, when it is freed; writes
 * to a freed block of a page, when it leaves the queue; all with the stacks of
 * allocation and free.  Writes before a block's start are seen when it is
 * freed, reads there only from the page before on.
 *
 * The one signal handler that the shim ever installs is here, since a fault
 * has no other way to get its line.  It then puts back what was there, and the
 * fault comes again: the program ends, or handles it, as without us.  A handler
 * that the program installs takes its place.
 */
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "base/os.h"
#include "base/text.h"
#include "pool/damage.h"
#include "pool/kind.h"
#include "pool/poison.h"
#include "shim/blame.h"
#include "shim/count.h"
#include "shim/harden.h"
#include "shim/picked.h"
#include "shim/start.h"

enum {
	LINE_BYTES = 1500,
	MARKED_MIN = 16,
	LIVE_MIN = 16,
	LIVE_MAX = 16384,
	/* A guarded block takes up to this many pieces of the kernel's map, of
	 * which half may be ours. */
	PIECES_EACH = 4,
	WRITE_FAULT = 2, /* a bit of the page fault's error code */
};

static bool is_on;
static struct sigaction before;

/* ---- start -------------------------------------------------------------- */

static uint32_t
live_max(void)
{
	char text[32] = "";
	uint32_t pieces = 0;

	if (ps_os_slurp("/proc/sys/vm/max_map_count", text, sizeof(text)) <= 0)
		return LIVE_MAX;
	for (const char *c = text; *c >= '0' && *c <= '9'; c++)
		pieces = pieces * 10 + (uint32_t)(*c - '0');
	return PS_MIN(PS_MAX(pieces / PIECES_EACH, (uint32_t)LIVE_MIN),
		      (uint32_t)LIVE_MAX);
}

void
ps_harden_init(void)
{
	if (ps_options.harden != PS_HARDEN_FULL)
		return;
	ps_options.sample_mode = PS_SAMPLE_ALL;
	is_on = true;
	if (ps_guard_init(live_max()) != 0)
		ps_os_mention("PERFSHIM_HARDEN=full: no addresses for guard "
			      "pages; going on with marks and poison");
}

bool
ps_harden_is_on(void)
{
	return is_on;
}

/* ---- lines -------------------------------------------------------------- */

/* "at 0x..., 3 bytes past the end of a block of 40 bytes at 0x..." */
static void
put_place(struct ps_text *t, const void *ptr, const void *block, size_t bytes)
{
	size_t offset = (size_t)((const char *)ptr - (const char *)block);

	if ((const char *)ptr < (const char *)block)
		ps_text_printf(t, "%zu bytes before", (size_t)0 - offset);
	else if (offset < bytes)
		ps_text_printf(t, "%zu bytes into", offset);
	else
		ps_text_printf(t, "%zu bytes past the end of", offset - bytes);
	ps_text_printf(t, " a block of %zu bytes at %p", bytes, block);
}

static void
put_stacks(struct ps_text *t, uint32_t epoch, uint32_t made_at,
	   uint32_t freed_at)
{
	if (epoch != ps_sample_epoch()) {
		ps_text_str(t, ", of before a fork");
		return;
	}
	ps_blame_stack(t, "allocated", made_at);
	ps_blame_stack(t, "freed", freed_at);
}

static _Noreturn void
die(const char *line)
{
	ps_os_complain(line);
	(void)ps_os_raise(SIGABRT);
	__builtin_trap(); /* it was blocked or ignored */
}

static _Noreturn void
die_of_guarded(const char *call, const void *ptr, const char *what,
	       const struct ps_guard *g, const void *at)
{
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "%s(%p): %s", call, ptr, what);
	if (g != NULL) {
		ps_text_str(&t, ", ");
		put_place(&t, at, (void *)g->start, g->bytes);
		put_stacks(&t, g->epoch, g->made_at, g->freed_at);
	}
	die(line);
}

static _Noreturn void
die_of_poisoned(const char *call, const char *what, const void *at,
		const struct ps_poisoned *p)
{
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "%s(%p): %s, ", call, p->block, what);
	put_place(&t, at, p->block, p->bytes);
	put_stacks(&t, p->epoch, p->made_at, p->freed_at);
	die(line);
}

/* ---- allocating --------------------------------------------------------- */

static void *
guarded_block(struct ps_thread *self, size_t size, size_t align, uint32_t site)
{
	struct ps_guard *g;
	void *block = ps_guard_alloc(size, align, &g);

	if (block == NULL)
		return NULL;
	g->made_at = site;
	g->freed_at = UINT32_MAX;
	g->epoch = ps_sample_epoch();
	ps_count_allocated(self, ps_class_of_usable(size), size);
	if (site != UINT32_MAX)
		ps_picked_large(self, site, size, block);
	return block;
}

/* A block of a sampled page, marked from the last byte asked for to its end. */
static void *
marked_block(struct ps_thread *self, size_t size, size_t align, bool is_zeroed,
	     uint32_t site)
{
	unsigned cls = ps_class_of_aligned(size + MARKED_MIN, align);
	char *block;

	if (cls == PS_POOL_CLASSES || site == UINT32_MAX)
		return NULL;
	block = ps_heap_alloc_kind(self->heap, cls, PS_PAGE_SAMPLED);
	if (block == NULL)
		return NULL;
	ps_count_allocated(self, cls, 0);
	ps_picked_pool(self, site, size, cls, block);
	ps_fence_put(block + size, ps_class_bytes(cls) - size);
	return is_zeroed ? memset(block, 0, size) : block;
}

void *
ps_harden_alloc(struct ps_thread *self, size_t size, size_t align,
		bool is_zeroed, uint32_t site)
{
	void *block = NULL;

	PS_ASSERT(is_on && self->depth > 0);
	if (ps_guard_range.bytes != 0)
		block = guarded_block(self, size, align, site);
	if (block == NULL)
		block = marked_block(self, size, align, is_zeroed, site);
	return block;
}

/* ---- freeing ------------------------------------------------------------ */

/* Where this free is; UINT32_MAX when the thread cannot say any more. */
static uint32_t
site_of(struct ps_thread *self, const struct ps_unwind_context *caller)
{
	uint32_t site = UINT32_MAX;

	if (self->depth == 0 && ps_thread_enter(self)) {
		site = ps_picked_site(self, caller);
		ps_thread_leave(self);
	}
	return site;
}

void
ps_harden_check(const char *call, const void *ptr)
{
	struct ps_guard *g = ps_guard_find(ptr);
	const void *at;

	if (g == NULL || ps_peek(&g->state) == PS_GUARD_UNUSED)
		die_of_guarded(call, ptr, "not a block of the heap", NULL, ptr);
	if (g->start != (uintptr_t)ptr)
		die_of_guarded(call, ptr, "not the start of a block", g, ptr);
	if (ps_peek(&g->state) == PS_GUARD_FREED)
		die_of_guarded(call, ptr, "double free: it is free already", g,
			       ptr);
	at = ps_guard_damage(g);
	if (at != NULL)
		die_of_guarded(call, ptr, "written outside the block", g, at);
}

void
ps_harden_free(struct ps_thread *self, void *ptr,
	       const struct ps_unwind_context *caller)
{
	struct ps_guard *g = ps_guard_find(ptr);
	uint32_t site = site_of(self, caller);

	ps_harden_check("free", ptr);
	if (!ps_guard_claim(g))
		die_of_guarded("free", ptr, "double free, by two threads", g,
			       ptr);
	g->freed_at = site;
	ps_picked_end_large(self, ptr);
	ps_count_freed(self, ps_class_of_usable(g->bytes), g->bytes);
	ps_guard_free(g);
}

size_t
ps_harden_usable(const void *ptr)
{
	const struct ps_guard *g = ps_guard_find(ptr);

	return g != NULL && g->start == (uintptr_t)ptr ? g->bytes : 0;
}

size_t
ps_harden_usable_sampled(const void *ptr)
{
	struct ps_birth birth;

	return ps_mark_get(ps_page_mark(ps_page_of(ptr), ptr), &birth)
		   ? birth.size
		   : 0;
}

/* It was freed before: who by may still be known. */
static _Noreturn void
die_of_second_free(const char *call, const void *ptr)
{
	static const char what[] = "double free: it is free already";
	struct ps_poisoned p;

	if (ps_poison_find(ptr, &p))
		die_of_poisoned(call, what, ptr, &p);
	ps_die_of(call, ptr, what);
}

/* Describes the block in *p; ends the program unless it is whole. */
static void
check_sampled(const char *call, void *ptr, struct ps_poisoned *p)
{
	struct ps_birth birth;
	const void *at;

	if (!ps_mark_get(ps_page_mark(ps_page_of(ptr), ptr), &birth))
		die_of_second_free(call, ptr);
	*p = (struct ps_poisoned){
	    .block = ptr,
	    .bytes = birth.size,
	    .made_at = birth.site,
	    .freed_at = UINT32_MAX,
	    .epoch = birth.epoch,
	};
	at = ps_fence_damage((char *)ptr + p->bytes,
			     ps_page_of(ptr)->block_bytes - p->bytes);
	if (at != NULL)
		die_of_poisoned(call, "written outside the block", at, p);
}

void
ps_harden_check_sampled(const char *call, void *ptr)
{
	struct ps_poisoned p;

	check_sampled(call, ptr, &p);
}

static void
check_poison(const struct ps_poisoned *p)
{
	const void *at = ps_poison_damage(p);

	if (at != NULL)
		die_of_poisoned("free", "written to after it was freed", at, p);
}

void *
ps_harden_free_sampled(struct ps_thread *self, void *ptr,
		       const struct ps_unwind_context *caller)
{
	struct ps_poisoned oldest;
	struct ps_poisoned p;

	check_sampled("free", ptr, &p);
	p.freed_at = site_of(self, caller);
	(void)ps_picked_end_pool(self, ps_page_of(ptr), ptr);
	if (!ps_poison_put(&p, &oldest))
		return NULL;
	check_poison(&oldest);
	return oldest.block;
}

void
ps_harden_finish(void)
{
	struct ps_guard *g = NULL;
	struct ps_poisoned p;
	const void *at;

	if (!is_on || !ps_poison_comes_free() || !ps_guard_comes_free())
		return;
	while (ps_poison_take(&p))
		check_poison(&p);
	while ((g = ps_guard_next(g)) != NULL) {
		at = ps_guard_damage(g);
		if (at != NULL)
			die_of_guarded("exit", (void *)g->start,
				       "written outside the block", g, at);
	}
}

/* ---- faults ------------------------------------------------------------- */

static void
tell_fault(const void *at, bool is_write)
{
	const struct ps_guard *g = ps_guard_nearest(at);
	char line[LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "%s at %p: ", is_write ? "write" : "read", at);
	if (g == NULL) {
		ps_text_str(&t, "among guard pages, near no block");
	} else {
		if (ps_peek(&g->state) == PS_GUARD_FREED)
			ps_text_str(&t, "after it was freed, ");
		put_place(&t, at, (void *)g->start, g->bytes);
		put_stacks(&t, g->epoch, g->made_at, g->freed_at);
	}
	ps_os_complain(line);
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;

	if (info->si_code > 0 && ps_guard_holds(info->si_addr))
		tell_fault(info->si_addr,
			   (c->uc_mcontext.gregs[REG_ERR] & WRITE_FAULT) != 0);
	(void)sigaction(number, &before, NULL);
	if (info->si_code <= 0)
		(void)ps_os_raise(number); /* it was sent: it does not recur */
}

void
ps_harden_watch(void)
{
	struct sigaction action = {
	    .sa_sigaction = on_fault,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	if (is_on && ps_guard_range.bytes != 0)
		(void)sigaction(SIGSEGV, &action, &before);
}

void
ps_harden_prefork(void)
{
	ps_guard_prefork();
	ps_poison_prefork();
}

void
ps_harden_postfork(void)
{
	ps_poison_postfork();
	ps_guard_postfork();
}
