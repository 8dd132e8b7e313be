/* SPDX-License-Identifier: MIT */
/*
 * jemalloc - the entry points of the jemalloc that is embedded in us
 *
 * scripts/embed-jemalloc.sh renames them, so that they meet nobody else's
 * jemalloc.  The constants are those of jemalloc/jemalloc.h of the 5 series.
 */
#ifndef PS_POOL_JEMALLOC_H
#define PS_POOL_JEMALLOC_H

#include "base/base.h"

void *je_mallocx(size_t size, int flags);
void *je_rallocx(void *ptr, size_t size, int flags);
size_t je_sallocx(const void *ptr, int flags);
void je_dallocx(void *ptr, int flags);
int je_mallctl(const char *name, void *old, size_t *old_bytes, void *new_value,
	       size_t new_bytes);
int je_mallctlnametomib(const char *name, size_t *mib, size_t *length);
int je_mallctlbymib(const size_t *mib, size_t length, void *old,
		    size_t *old_bytes, void *new_value, size_t new_bytes);

/*
 * Fork.  Who calls ps_je_own_forks before jemalloc begins promises the other
 * three, as pthread_atfork's handlers would be called; otherwise jemalloc
 * registers its own.  They do nothing while jemalloc has not begun.
 */
void ps_je_own_forks(void);
void ps_je_prefork(void);
void ps_je_postfork_parent(void);
void ps_je_postfork_child(void);

/* Once, early: a key for the ends of threads, while there are free ones. */
void ps_je_take_key(void);

/*
 * The calling thread will call ps_je_thread_end at its end, for which jemalloc
 * does not look itself then.  `round_ends` is called at the end of a round of
 * the thread's destructors, after those of the program.
 */
void ps_je_thread_begin(void (*round_ends)(void));

/*
 * The calling thread is at its end: what jemalloc keeps of it is taken down,
 * now and after each later call, because nobody will tell jemalloc any more.
 */
void ps_je_thread_end(void);

/* align is a power of two */
#define JE_ALIGN(align) ((int)__builtin_ctzll(align))
#define JE_ALIGN_OF(flags) ((size_t)1 << ((flags)&0x3f))
#define JE_ZERO 0x40
#define JE_TCACHE_NONE (1 << 8) /* cache -1, kept as id + 2 in bits 8..19 */
#define JE_ARENA(index) ((int)(((index) + 1u) << 20))

typedef struct je_extent_hooks je_extent_hooks;
typedef void *ps_extent_alloc(je_extent_hooks *, void *at, size_t bytes,
			      size_t align, bool *is_zeroed, bool *is_committed,
			      unsigned arena);
struct je_extent_hooks {
	ps_extent_alloc *alloc;
	bool (*dalloc)(je_extent_hooks *, void *, size_t, bool, unsigned);
	void (*destroy)(je_extent_hooks *, void *, size_t, bool, unsigned);
	bool (*commit)(je_extent_hooks *, void *, size_t, size_t offset,
		       size_t length, unsigned);
	bool (*decommit)(je_extent_hooks *, void *, size_t, size_t, size_t,
			 unsigned);
	bool (*purge_lazy)(je_extent_hooks *, void *, size_t, size_t, size_t,
			   unsigned);
	bool (*purge_forced)(je_extent_hooks *, void *, size_t, size_t, size_t,
			     unsigned);
	bool (*split)(je_extent_hooks *, void *, size_t, size_t, size_t, bool,
		      unsigned);
	bool (*merge)(je_extent_hooks *, void *, size_t, void *, size_t, bool,
		      unsigned);
};

#endif /* PS_POOL_JEMALLOC_H */
