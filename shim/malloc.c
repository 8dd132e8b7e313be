/* SPDX-License-Identifier: MIT */
/*
 * malloc - the allocation functions that programs call
 *
 * The fast paths and the exported names; see hazards.md B0 for why the set must
 * be complete.  A malloc is: the countdown's one test (which also fails for a
 * thread that is new, inside the shim or not relocated), the class by table, a
 * pop from the thread's bin, and three counters of the thread's row.  A free
 * is: range, the bin of the unit, whether it was freed just now, a push, one
 * counter and its limit. Everything
 * else tail-calls a cold function, so that no register is saved on the way and
 * the caller's frame is still the one to unwind from.
 *
 * scripts/check-fastpath counts the instructions of malloc, free and operator
 * new and delete and fails over budget.
 */
#include <errno.h>
#include <string.h>

#include "pool/bin.h"
#include "shim/alloc.h"
#include "shim/forked.h"
#include "shim/malloc.h"
#include "shim/replaced.h"
#include "shim/start.h"
#include "shim/thread.h"

/* A block from the bin, or NULL when anything is out of the ordinary. */
PS_INLINE void *
fast_block(size_t size)
{
	const struct ps_thread *self = &ps_self;
	struct ps_record_thread *row = ps_thread_hot_row(self);
	size_t cls; /* an unsigned would be extended once more */
	void *block;

	if (ps_unlikely(size > PS_POOL_SMALL_MAX ||
			size >= ps_peek(&row->bytes_left)))
		return NULL;
	cls = ps_class_of(size);
	block = ps_heap_pop(self->heap, cls);
	if (ps_unlikely(block == NULL))
		return NULL;
	ps_drop(&row->bytes_left, size);
	ps_bump(&row->allocations, 1);
	ps_bump(&row->class_allocations[cls], 1);
	return block;
}

/* Put back; false when anything is out of the ordinary. */
PS_INLINE bool
fast_free(void *ptr)
{
	const struct ps_thread *self = &ps_self;
	struct ps_pool_heap *heap = self->heap;
	_Atomic uint64_t *frees;
	void **bin;
	size_t at;

	if (ps_unlikely(!ps_range_is_pool(ptr)))
		return false;
	bin = ps_bin_of(ptr);
	at = ps_heap_bin_at(heap, bin);
	if (ps_unlikely(at >= PS_BINS_END))
		return false;
	if (ps_unlikely(*bin == ptr)) /* freed just now */
		return false;
	ps_bin_push(bin, ptr);
	/* Arrays of words, as the bins are: `at` serves them all. */
	frees = (void *)((char *)self->row->class_frees + at);
	ps_bump(frees, 1);
	if (ps_unlikely(--*ps_bin_look_in(bin) < 0))
		ps_free_look(heap, at / sizeof(void *));
	return true;
}

PS_NOINLINE PS_REALIGNED void
ps_free_look(struct ps_pool_heap *heap, size_t cls)
{
	int saved_errno = errno;

	ps_forked_settle();
	ps_heap_look(heap, (unsigned)cls);
	ps_thread_pulse(&ps_self);
	errno = saved_errno;
}

/* ---- C ------------------------------------------------------------------ */

static PS_NOINLINE PS_REALIGNED void *
malloc_slow(size_t size)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return ps_alloc(size, 16, false, &caller);
}

PS_EXPORT
PS_ALIGNED(PS_CACHE_LINE) void *malloc(size_t size)
{
	void *block = fast_block(size);

	return ps_likely(block != NULL) ? block : malloc_slow(size);
}

PS_EXPORT
PS_ALIGNED(PS_CACHE_LINE) void free(void *ptr)
{
	if (ps_unlikely(!fast_free(ptr)))
		ps_free(ptr);
}

static PS_NOINLINE PS_REALIGNED void *
calloc_slow(size_t size)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return ps_alloc(size, 16, true, &caller);
}

static PS_COLD void *
fail_with(int error)
{
	if (ps_is_relocated())
		errno = error;
	return NULL;
}

PS_EXPORT void *
calloc(size_t count, size_t size)
{
	size_t bytes;
	void *block;

	if (ps_unlikely(__builtin_mul_overflow(count, size, &bytes)))
		return fail_with(ENOMEM);
	block = fast_block(bytes);
	if (ps_unlikely(block == NULL))
		return calloc_slow(bytes);
	return memset(block, 0, bytes);
}

static PS_NOINLINE PS_REALIGNED void *
realloc_slow(void *ptr, size_t size)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return ps_realloc(ptr, size, &caller);
}

static PS_COLD void *
free_to_null(void *ptr)
{
	free(ptr);
	return NULL;
}

/* As glibc: realloc(p, 0) frees and returns NULL, errno untouched. */
PS_EXPORT void *
realloc(void *ptr, size_t size)
{
	if (ps_unlikely(ptr == NULL))
		return malloc(size);
	if (ps_unlikely(size == 0))
		return free_to_null(ptr);
	return realloc_slow(ptr, size);
}

PS_EXPORT void *
reallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (ps_unlikely(__builtin_mul_overflow(count, size, &bytes)))
		return fail_with(ENOMEM);
	return ps_unlikely(ps_replaced.realloc != NULL)
		   ? ps_replaced.realloc(ptr, bytes)
		   : realloc(ptr, bytes);
}

/* ---- aligned ------------------------------------------------------------ */

static bool
is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

PS_NOINLINE PS_REALIGNED static void *
aligned_block(size_t align, size_t size)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return ps_alloc(size, PS_MAX(align, (size_t)16), false, &caller);
}

/* glibc rounds an odd alignment up and refuses one beyond half of the
 * address space with EINVAL. */
PS_EXPORT void *
memalign(size_t align, size_t size)
{
	if (ps_unlikely(align > SIZE_MAX / 2 + 1))
		return fail_with(EINVAL);
	if (ps_unlikely(!is_power_of_two(align)))
		align = align <= 16
			    ? 16
			    : (size_t)1 << (64 - __builtin_clzll(align - 1));
	return aligned_block(align, size);
}

PS_EXPORT void *
aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

PS_EXPORT int
posix_memalign(void **out, size_t align, size_t size)
{
	void *block;

	if (!is_power_of_two(align) || align % sizeof(void *) != 0)
		return EINVAL;
	block = aligned_block(align, size);
	if (block == NULL)
		return ENOMEM;
	*out = block;
	return 0;
}

PS_EXPORT void *
valloc(size_t size)
{
	return aligned_block(4096, size);
}

PS_EXPORT void *
pvalloc(size_t size)
{
	if (ps_unlikely(size > SIZE_MAX - 4095))
		return fail_with(ENOMEM);
	return aligned_block(4096, PS_ROUND_UP(size, (size_t)4096));
}

PS_EXPORT size_t
malloc_usable_size(void *ptr)
{
	return ps_usable_size(ptr);
}

PS_EXPORT void
cfree(void *ptr)
{
	if (ps_unlikely(ps_replaced.free != NULL))
		ps_replaced.free(ptr);
	else
		free(ptr);
}

/* C23; the size may be wrong in programs, so it is not trusted. */
PS_EXPORT void
free_sized(void *ptr, size_t size)
{
	(void)size;
	cfree(ptr);
}

PS_EXPORT void
free_aligned_sized(void *ptr, size_t align, size_t size)
{
	(void)align;
	(void)size;
	cfree(ptr);
}

/* ---- glibc's other names for the same functions ------------------------- */

/* copy: gcc wants an alias to promise what its target promises. */
#if __has_attribute(copy)
#define SAME_AS(name)                                                          \
	__attribute__((alias(#name), visibility("default"), copy(name)))
#else
#define SAME_AS(name) __attribute__((alias(#name), visibility("default")))
#endif

void *__libc_malloc(size_t size) SAME_AS(malloc);
void __libc_free(void *ptr) SAME_AS(free);
void *__libc_calloc(size_t count, size_t size) SAME_AS(calloc);
void *__libc_realloc(void *ptr, size_t size) SAME_AS(realloc);
void *__libc_memalign(size_t align, size_t size) SAME_AS(memalign);
void *__libc_valloc(size_t size) SAME_AS(valloc);
void *__libc_pvalloc(size_t size) SAME_AS(pvalloc);
int __posix_memalign(void **out, size_t align, size_t size)
    SAME_AS(posix_memalign);

/* ---- C++ ---------------------------------------------------------------- */

/*
 * The names are Itanium's manglings: operator new(size_t) and its kin.  They
 * tail-call ps_new_slow when the bin is empty; that one runs the new handler
 * and throws (shim/operator_new.c).  Sizes given to delete are not trusted.
 * Where the program brings one of them, the others are left to libstdc++
 * (shim/replaced.c).  All have three arguments, which the callers of most do
 * not set and nobody but libstdc++ looks at.
 */
#define OPERATOR(type, name, first, forward, ...)                              \
	PS_EXPORT type name(first, size_t second, size_t third);               \
	PS_EXPORT type name(first, size_t second, size_t third)                \
	{                                                                      \
		if (ps_unlikely(ps_replaced.has_new))                          \
			return forward(of, second, third, PS_FORM##name);      \
		__VA_ARGS__                                                    \
	}
#define NEW(name, slow)                                                        \
	OPERATOR(void *, name, size_t of, ps_new_theirs, {                     \
		void *block = fast_block(of);                                  \
                                                                               \
		return ps_likely(block != NULL) ? block : slow(of);            \
	})
#define NEW_ALIGNED(name, slow)                                                \
	OPERATOR(void *, name, size_t of, ps_new_theirs,                       \
		 { return slow(of, second); })
#define DELETE(name)                                                           \
	OPERATOR(void, name, void *of, ps_delete_theirs, {                     \
		if (ps_unlikely(!fast_free(of)))                               \
			ps_free(of);                                           \
	})
#define DELETE_RARELY(name)                                                    \
	OPERATOR(void, name, void *of, ps_delete_theirs, free(of);)

NEW(_Znwm, ps_new_slow)
NEW(_Znam, ps_new_slow)
NEW(_ZnwmRKSt9nothrow_t, ps_new_nothrow_slow)
NEW(_ZnamRKSt9nothrow_t, ps_new_nothrow_slow)
NEW_ALIGNED(_ZnwmSt11align_val_t, ps_new_aligned)
NEW_ALIGNED(_ZnamSt11align_val_t, ps_new_aligned)
NEW_ALIGNED(_ZnwmSt11align_val_tRKSt9nothrow_t, ps_new_aligned_nothrow)
NEW_ALIGNED(_ZnamSt11align_val_tRKSt9nothrow_t, ps_new_aligned_nothrow)
DELETE(_ZdlPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPv)
DELETE_RARELY(_ZdaPvm)
DELETE_RARELY(_ZdlPvRKSt9nothrow_t)
DELETE_RARELY(_ZdaPvRKSt9nothrow_t)
DELETE_RARELY(_ZdlPvSt11align_val_t)
DELETE_RARELY(_ZdaPvSt11align_val_t)
DELETE_RARELY(_ZdlPvmSt11align_val_t)
DELETE_RARELY(_ZdaPvmSt11align_val_t)
DELETE_RARELY(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE_RARELY(_ZdaPvSt11align_val_tRKSt9nothrow_t)
