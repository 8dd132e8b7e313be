/* SPDX-License-Identifier: MIT */
/*
 * unwind_bytes - a reader of unwind tables that never leaves its bounds
 *
 * Inside the unwinder only.  What lies beyond the end reads as 0 and spoils the
 * reader; so a whole record is read, and then asked once whether it was there.
 * Every read of a spoilt reader gives 0, and every loop over one ends, because
 * it has no bytes left.
 *
 * A function of a compiler is told by a hundred reads, nearly all of one byte;
 * so those of a fixed size are inline, and numbers of one byte at once.
 */
#ifndef PS_UNWIND_BYTES_H
#define PS_UNWIND_BYTES_H

#include <string.h>

#include "base/base.h"

struct ps_bytes {
	const uint8_t *at;
	const uint8_t *end;
	bool is_spoilt;
};

/* How a pointer is written: the value's form, and what it is relative to. */
enum {
	PS_POINTER_FORM = 0x0f,
	PS_POINTER_ABSOLUTE = 0x00, /* forms */
	PS_POINTER_UDATA2 = 0x02,
	PS_POINTER_UDATA4 = 0x03,
	PS_POINTER_UDATA8 = 0x04,
	PS_POINTER_SDATA2 = 0x0a,
	PS_POINTER_SDATA4 = 0x0b,
	PS_POINTER_SDATA8 = 0x0c,
	PS_POINTER_RELATIVE = 0x70,
	PS_POINTER_TO_ITSELF = 0x10, /* relative to where it stands */
	PS_POINTER_INDIRECT = 0x80,
};

static inline struct ps_bytes
ps_bytes_between(uintptr_t start, uintptr_t end)
{
	return (struct ps_bytes){(const uint8_t *)PS_MIN(start, end),
				 (const uint8_t *)end, start > end};
}

static inline size_t
ps_bytes_left(const struct ps_bytes *b)
{
	return (size_t)(b->end - b->at);
}

static inline void
ps_bytes_spoil(struct ps_bytes *b)
{
	b->is_spoilt = true;
	b->at = b->end;
}

/* The next `size` bytes as a reader of their own; this one goes on behind. */
static inline struct ps_bytes
ps_bytes_take(struct ps_bytes *b, uint64_t size)
{
	struct ps_bytes taken = {b->at, b->at, true};

	if (b->is_spoilt || size > ps_bytes_left(b)) {
		ps_bytes_spoil(b);
		return taken;
	}
	b->at += size;
	taken.end = b->at;
	taken.is_spoilt = false;
	return taken;
}

/* Move by a number that may be negative, within [low, end]. */
static inline void
ps_bytes_skip(struct ps_bytes *b, int64_t by, const uint8_t *low)
{
	if (b->is_spoilt || by > b->end - b->at || by < low - b->at)
		ps_bytes_spoil(b);
	else
		b->at += by;
}

PS_INLINE uint64_t
ps_bytes_unsigned(struct ps_bytes *b, size_t size)
{
	uint64_t value = 0;

	if (size > ps_bytes_left(b)) {
		ps_bytes_spoil(b);
		return 0;
	}
	memcpy(&value, b->at, size);
	b->at += size;
	return value;
}

PS_INLINE int64_t
ps_bytes_signed(struct ps_bytes *b, size_t size)
{
	unsigned unused_bits = 64 - 8 * (unsigned)size;

	return (int64_t)(ps_bytes_unsigned(b, size) << unused_bits) >>
	       unused_bits;
}

PS_INLINE uint8_t
ps_bytes_u8(struct ps_bytes *b)
{
	return (uint8_t)ps_bytes_unsigned(b, 1);
}

/* LEB128: bits beyond 64 are lost.  *bits: how many were given. */
static inline uint64_t
ps_bytes_leb(struct ps_bytes *b, unsigned *bits)
{
	uint64_t value = 0;
	uint8_t byte;

	*bits = 0;
	do {
		byte = ps_bytes_u8(b);
		if (*bits < 64)
			value |= (uint64_t)(byte & 0x7f) << *bits;
		*bits += 7;
	} while ((byte & 0x80) != 0);
	return value;
}

/* Is the next number one byte? */
PS_INLINE bool
ps_bytes_is_short(const struct ps_bytes *b)
{
	return ps_likely(b->at < b->end && (*b->at & 0x80) == 0);
}

PS_INLINE uint64_t
ps_bytes_uleb(struct ps_bytes *b)
{
	unsigned bits;

	return ps_bytes_is_short(b) ? *b->at++ : ps_bytes_leb(b, &bits);
}

static inline int64_t
ps_bytes_sleb(struct ps_bytes *b)
{
	unsigned bits;
	uint64_t value = ps_bytes_leb(b, &bits);

	if (bits < 64 && (value >> (bits - 1) & 1) != 0)
		value |= ~UINT64_C(0) << bits;
	return (int64_t)value;
}

/* The value alone, by its form; of an unknown one the reader is spoilt. */
static inline uint64_t
ps_bytes_form(struct ps_bytes *b, uint8_t encoding)
{
	switch (encoding & PS_POINTER_FORM) {
	case PS_POINTER_ABSOLUTE:
	case PS_POINTER_UDATA8:
	case PS_POINTER_SDATA8:
		return ps_bytes_unsigned(b, 8);
	case PS_POINTER_UDATA2:
		return ps_bytes_unsigned(b, 2);
	case PS_POINTER_UDATA4:
		return ps_bytes_unsigned(b, 4);
	case PS_POINTER_SDATA2:
		return (uint64_t)ps_bytes_signed(b, 2);
	case PS_POINTER_SDATA4:
		return (uint64_t)ps_bytes_signed(b, 4);
	default:
		ps_bytes_spoil(b);
		return 0;
	}
}

/* A pointer, absolute or relative to itself; others spoil the reader. */
static inline uintptr_t
ps_bytes_pointer(struct ps_bytes *b, uint8_t encoding)
{
	uintptr_t here = (uintptr_t)b->at;
	uint64_t value = ps_bytes_form(b, encoding);

	switch (encoding & (PS_POINTER_RELATIVE | PS_POINTER_INDIRECT)) {
	case 0:
		return value;
	case PS_POINTER_TO_ITSELF:
		return here + value;
	default:
		ps_bytes_spoil(b);
		return 0;
	}
}

#endif /* PS_UNWIND_BYTES_H */
