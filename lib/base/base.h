/* SPDX-License-Identifier: MIT */
/*
 * base - attributes, asserts and relaxed access that every other file uses
 *
 * Nothing here allocates, locks or calls the operating system, except a
 * failing assert, which writes one line by a raw system call and traps.
 */
#ifndef PS_BASE_H
#define PS_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_EXPORT __attribute__((visibility("default")))
/* Large, zero at first and seldom touched: away from the words that each
 * process writes, so that those share few pages. */
#define PS_BIG __attribute__((section(".bss.big")))
/* What fork's handlers write, in the parent or in the child: on one page, which
 * either of them copies. */
#define PS_FORKED __attribute__((section(".data.forked")))
#define PS_COLD __attribute__((cold, noinline))
#define PS_NOINLINE __attribute__((noinline))
#define PS_INLINE static inline __attribute__((always_inline))
#define PS_TLS __thread __attribute__((tls_model("initial-exec")))
#define PS_CACHE_LINE 64
_Static_assert((PS_CACHE_LINE & (PS_CACHE_LINE - 1)) == 0, "a mask");
#define PS_ALIGNED(n) __attribute__((aligned(n)))
#define PS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define ps_likely(x) __builtin_expect(!!(x), 1)
#define ps_unlikely(x) __builtin_expect(!!(x), 0)

#define PS_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PS_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PS_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Round x up to a power of two `unit`. */
#define PS_ROUND_UP(x, unit) (((x) + ((unit)-1)) & ~((unit)-1))

/*
 * Two tiers.  PS_ASSERT states an invariant whose breach would corrupt the
 * host: always compiled, one predictable branch.  PS_DEBUG_ASSERT is for
 * checks that cost more, and is there only under DEBUG=1.
 */
#define PS_ASSERT(cond)                                                        \
	do {                                                                   \
		if (ps_unlikely(!(cond)))                                      \
			ps_assert_failed(#cond, __FILE__, __LINE__);           \
	} while (0)

#ifdef PS_DEBUG
#define PS_DEBUG_ASSERT(cond) PS_ASSERT(cond)
#else
#define PS_DEBUG_ASSERT(cond) ((void)sizeof(cond))
#endif

/* Write "perfshim: assertion ..." to descriptor 2 and trap. */
PS_COLD void ps_assert_failed(const char *cond, const char *file, int line)
    __attribute__((noreturn));

/* Relaxed load and store: on x86 plain moves, and clean under TSan. */
#define ps_peek(p) atomic_load_explicit((p), memory_order_relaxed)
#define ps_poke(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)

/* One load of a plain field that a writer may change meanwhile: what is used is
 * what was checked. */
#define ps_once(field) (*(const volatile __typeof__(field) *)&(field))

/* Add by the only writer of a counter that others read: no locked instruction.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
/* One instruction, where the compiler makes three of a relaxed atomic. */
#define PS_BUMP_WITH_(instruction, p, n)                                       \
	__asm__(instruction " %1, %0"                                          \
		: "+m"(*(uint64_t *)(uintptr_t)(p))                            \
		: "er"((uint64_t)(n))                                          \
		: "cc")
#define PS_BUMP_32_(p, n)                                                      \
	__asm__("addl %1, %0"                                                  \
		: "+m"(*(uint32_t *)(uintptr_t)(p))                            \
		: "ir"((uint32_t)(n))                                          \
		: "cc")
#define ps_bump(p, n)                                                          \
	do {                                                                   \
		if (sizeof(*(p)) == sizeof(uint64_t))                          \
			PS_BUMP_WITH_("addq", p, n);                           \
		else if (sizeof(*(p)) == sizeof(uint32_t))                     \
			PS_BUMP_32_(p, n);                                     \
		else                                                           \
			ps_poke((p), ps_peek(p) + (n));                        \
	} while (0)
/* The same for a double, in two: the compiler would go through an integer. */
#define ps_bump_double(p, x)                                                   \
	do {                                                                   \
		double sum_ = (x);                                             \
                                                                               \
		__asm__("addsd %1, %0\n\tmovsd %0, %1"                         \
			: "+x"(sum_), "+m"(*(double *)(uintptr_t)(p)));        \
	} while (0)
#define ps_drop(p, n) PS_BUMP_WITH_("subq", p, n) /* 64 bits */
#else
#define ps_bump(p, n) ps_poke((p), ps_peek(p) + (n))
#define ps_bump_double(p, x) ps_bump(p, x)
#define ps_drop(p, n) ps_poke((p), ps_peek(p) - (n))
#endif

/* Ticks of the run's clock; lib/measure/clock.h turns them into seconds. */
typedef uint64_t ps_ticks;

#endif /* PS_BASE_H */
