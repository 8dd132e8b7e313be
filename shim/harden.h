/* SPDX-License-Identifier: MIT */
/*
 * harden - PERFSHIM_HARDEN=full: where the blocks of a program under test for
 * misuse of the heap come from and go to
 *
 * Everything is sampled then, so that every call is a slow one and the fast
 * paths need not know.
 */
#ifndef PS_SHIM_HARDEN_H
#define PS_SHIM_HARDEN_H

#include "pool/guard.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* At the early start, after the options are read. */
void ps_harden_init(void);
/* In the constructor: faults in guarded pages get their line from now on. */
void ps_harden_watch(void);

bool ps_harden_is_on(void);

/*
 * A block for a sample at `site` (UINT32_MAX: not known), counted but not yet
 * told to the site.  NULL: it is for others to serve.  Inside the shim.
 */
void *ps_harden_alloc(struct ps_thread *self, size_t size, size_t align,
		      bool is_zeroed, uint32_t site);

/* For a pointer into the guarded range: ends the program unless it may be
 * handed to `call`. */
void ps_harden_check(const char *call, const void *ptr);
/* free of such a pointer. */
void ps_harden_free(struct ps_thread *self, void *ptr,
		    const struct ps_unwind_context *caller);
size_t ps_harden_usable(const void *ptr);

/* The same for blocks of a sampled page. */
void ps_harden_check_sampled(const char *call, void *ptr);
/*
 * free of a block of a sampled page, its index not yet ended; the page's block
 * to give back, or NULL: none yet.
 */
void *ps_harden_free_sampled(struct ps_thread *self, void *ptr,
			     const struct ps_unwind_context *caller);
/* Bytes that were asked for, of such a block. */
size_t ps_harden_usable_sampled(const void *ptr);

/* The program ends: what was written to a freed block that still waits, or
 * around a guarded one that lives, is told now;
 * not when a handler that interrupted this thread with a lock ends it. */
void ps_harden_finish(void);

void ps_harden_prefork(void);
void ps_harden_postfork(void);

#endif /* PS_SHIM_HARDEN_H */
