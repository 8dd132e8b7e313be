/* SPDX-License-Identifier: MIT */
/*
 * vector_add_loops - the two loops of vector_add.h for one ELEMENT
 *
 * No include guard: included once per type, with ELEMENT, ADD and ADD_STREAMED
 * defined, and takes them away at the end.
 */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(ADD, _vector)
#define SINGLY JOIN(ADD, _singly)
#define HEAD JOIN(ADD, _head)
#define SUM JOIN(ADD, _sum)

typedef ELEMENT VECTOR __attribute__((vector_size(VECTOR_BYTES),
				      aligned(sizeof(ELEMENT)), may_alias));

PS_INLINE VECTOR
SUM(const ELEMENT *a, const ELEMENT *b)
{
	return *(const VECTOR *)a + *(const VECTOR *)b;
}

/* Elements before the first aligned vector of dst. */
PS_INLINE size_t
HEAD(const ELEMENT *dst)
{
	return (-(uintptr_t)dst & (VECTOR_BYTES - 1)) / sizeof(ELEMENT);
}

PS_INLINE void
SINGLY(ELEMENT *dst, const ELEMENT *a, const ELEMENT *b, size_t from, size_t to)
{
	/* At most a vector's worth: the compiler must not vectorize again. */
	for (size_t i = from; i < to; i++) {
		dst[i] = a[i] + b[i];
		__asm__("" : "+r"(i));
	}
}

static void
ADD(ELEMENT *dst, const ELEMENT *a, const ELEMENT *b, size_t n)
{
	const size_t lanes = VECTOR_BYTES / sizeof(ELEMENT);
	size_t head = n >= 8 * lanes ? HEAD(dst) : 0;
	size_t i = head;

	SINGLY(dst, a, b, 0, head);
	for (; i + 4 * lanes <= n; i += 4 * lanes) {
		PS_UNROLL
		for (size_t j = 0; j < 4 * lanes; j += lanes)
			*(VECTOR *)(dst + i + j) = SUM(a + i + j, b + i + j);
	}
	for (; i + lanes <= n; i += lanes)
		*(VECTOR *)(dst + i) = SUM(a + i, b + i);
	SINGLY(dst, a, b, i, n);
}

static void
ADD_STREAMED(ELEMENT *dst, const ELEMENT *a, const ELEMENT *b, size_t n)
{
	const size_t lanes = VECTOR_BYTES / sizeof(ELEMENT);
	size_t i = PS_MIN(HEAD(dst), n);

	SINGLY(dst, a, b, 0, i);
	PS_DEBUG_ASSERT(i == n || (uintptr_t)(dst + i) % VECTOR_BYTES == 0);
	for (; i + 4 * lanes <= n; i += 4 * lanes) {
		PS_UNROLL
		for (size_t j = 0; j < 4 * lanes; j += lanes)
			vector_stream((float *)(dst + i + j),
				      (vector)SUM(a + i + j, b + i + j));
	}
	vector_stream_end();
	SINGLY(dst, a, b, i, n);
}

#undef JOIN_
#undef JOIN
#undef VECTOR
#undef SINGLY
#undef HEAD
#undef SUM
#undef ELEMENT
#undef ADD
#undef ADD_STREAMED
