/* SPDX-License-Identifier: MIT */
/*
 * unwind_trace - a walk of ours next to glibc's backtrace, from one place
 *
 * backtrace() reads the same tables by other code (libgcc's), so it is the
 * reference wherever it works.
 */
#ifndef PS_TEST_UNWIND_TRACE_H
#define PS_TEST_UNWIND_TRACE_H

#include "shim/unwind.h"

#ifdef __SANITIZE_THREAD__
enum { TRACE_UNDER_TSAN = 1 };
#else
enum { TRACE_UNDER_TSAN = 0 };
#endif

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#define UNOPTIMIZED __attribute__((noinline, optnone))
#else
#define NOINLINE __attribute__((noinline, noclone))
#define UNOPTIMIZED __attribute__((noinline, noclone, optimize("O0")))
#endif

enum { TRACE_MAX = 300 };

struct trace {
	struct ps_unwind_context start;
	uintptr_t pc[TRACE_MAX];
	uint32_t count;
	enum ps_unwind_end end;
	void *reference[TRACE_MAX + 2]; /* [0] is in trace_take itself */
	int reference_count;
};

/* Checked fixture: load the unwinder. */
void trace_setup(void);

/* Walk from the caller, at most `max` frames, on the stack [low, high). */
void trace_take(struct trace *t, uint32_t max, uintptr_t low, uintptr_t high);
/* The same on this thread's own stack, into trace_got. */
extern struct trace trace_got;
void trace_take_got(void);

/* How many frames are as in the reference, from the first on. */
uint32_t trace_same(const struct trace *t);
/* Complete, and the same to the last frame. */
bool trace_is_as_reference(const struct trace *t);
/* Asserts that, naming the first frame that differs. */
void trace_assert(const struct trace *t);

/* `leaf` from `depth` calls of a function of the same kind. */
int trace_recurse(int depth, void (*leaf)(void));
int trace_recurse_unoptimized(int depth, void (*leaf)(void));

/* Between them, each instruction ends in a SIGTRAP. */
void trace_trap_on(void);
void trace_trap_off(void);

#endif /* PS_TEST_UNWIND_TRACE_H */
