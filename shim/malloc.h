/* SPDX-License-Identifier: MIT */
/*
 * malloc - prototypes of the exported allocation functions
 *
 * glibc's headers declare most of them; these are the ones they lack, and the
 * cold functions that the C++ operators tail-call.
 */
#ifndef PS_SHIM_MALLOC_H
#define PS_SHIM_MALLOC_H

#include <malloc.h>
#include <stdlib.h>

#include "base/base.h"

struct ps_pool_heap;

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t align, size_t size);
void cfree(void *ptr);
void *__libc_malloc(size_t size);
void __libc_free(void *ptr);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
int __posix_memalign(void **out, size_t align, size_t size);

/* The bin of a class is over its limit. */
void ps_free_look(struct ps_pool_heap *heap, size_t cls);

/* operator new: until it succeeds, the new handler gives up, or it throws. */
void *ps_new_slow(size_t size);
void *ps_new_nothrow_slow(size_t size);
void *ps_new_aligned(size_t size, size_t align);
void *ps_new_aligned_nothrow(size_t size, size_t align);

#endif /* PS_SHIM_MALLOC_H */
