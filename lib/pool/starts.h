/* SPDX-License-Identifier: MIT */
/*
 * starts - where in a range of jemalloc's a live block begins
 *
 * For each 4 KiB one bit says whether a block starts there, so that freeing
 * what is no block, or is one no more, is seen before jemalloc gets it. Another
 * says whether smaller blocks ever started in it, off its start: those are
 * believed. Blocks of 16 KiB and up all lie on such boundaries.
 *
 * Threads: any, after ps_starts_init.
 */
#ifndef PS_POOL_STARTS_H
#define PS_POOL_STARTS_H

#include "base/base.h"

struct ps_starts {
	uintptr_t base;
	size_t bytes;		  /* 0: nothing is covered */
	_Atomic uint64_t *whole;  /* a block starts at the page */
	_Atomic uint64_t *within; /* some started in it, at some time */
};

/* For addresses [base, base + bytes); without memory, every answer is yes. */
void ps_starts_init(struct ps_starts *s, uintptr_t base, size_t bytes);

/* Cover no more than the first `bytes`. */
void ps_starts_trim(struct ps_starts *s, size_t bytes);

/* A block was made. */
void ps_starts_add(const struct ps_starts *s, const void *block);
/* It is about to go: false when there is none, or not any more. */
bool ps_starts_drop(const struct ps_starts *s, const void *block);
/* Whether one is there. */
bool ps_starts_has(const struct ps_starts *s, const void *block);

#endif /* PS_POOL_STARTS_H */
