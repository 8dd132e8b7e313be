/* SPDX-License-Identifier: MIT */
/*
 * bench_stack - what capturing a call stack costs once all of it is known, and
 * what it costs to get to know an address
 *
 * Ours in three forms: the plain walk; the walk with a memo of the last stack
 * (one in 512 KiB is sampled); the recall by where the stack begins (all are).
 * Beside them, in the same run and from the same frames: unw_backtrace of the
 * libunwind that is installed, glibc's backtrace, and a walk along frame
 * pointers, which every function of this program keeps and few programs do.
 *
 * same:  the same stack again and again, as in a loop that allocates.
 * turns: the five innermost frames change each time between two callers.
 *
 * decode: addresses in each function of the C library, by its unwind tables,
 * against a step of libunwind's in its address-space interface, as the tests
 * take it: what the shim did before it had a decoder.
 *
 * Each figure is the least of 15 batches: what a disturbed one adds is not the
 * cost of a capture.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure/clock.h"
#include "shim/unwind.h"
#include "shim/unwind_recall.h"
#include "tests/unit/unwind_oracle.h"

enum { BATCHES = 15, CAPTURES = 4000, FRAMES_MAX = 128, INNER = 5 };

#define FRAME __attribute__((noinline, optimize("no-omit-frame-pointer")))

typedef int backtrace_function(void **out, int max);

struct state {
	backtrace_function *libunwind;
	struct ps_unwind_memo *memo;
	struct ps_recall *recall;
	uintptr_t low;
	uintptr_t high;
	uintptr_t out[FRAMES_MAX];
	int count; /* of the last capture */
};
static struct state state;

/* ---- ways ---- */

static FRAME void
by_frame_pointer(struct state *s)
{
	const uintptr_t *frame = __builtin_frame_address(0);
	int count = 0;

	while (count < FRAMES_MAX && (uintptr_t)frame >= s->low &&
	       (uintptr_t)frame < s->high - 16) {
		s->out[count++] = frame[1];
		if (frame[0] <= (uintptr_t)frame)
			break;
		frame = (const uintptr_t *)frame[0];
	}
	s->count = count;
}

static FRAME void
by_libunwind(struct state *s)
{
	s->count = s->libunwind((void **)s->out, FRAMES_MAX);
}

static FRAME void
by_glibc(struct state *s)
{
	s->count = backtrace((void **)s->out, FRAMES_MAX);
}

static FRAME void
by_walk(struct state *s)
{
	struct ps_unwind_context ctx;
	enum ps_unwind_end end;

	PS_UNWIND_CALLER(&ctx);
	s->count = (int)ps_unwind_walk(&ctx, s->out, FRAMES_MAX, s->low,
				       s->high, &end);
}

static FRAME void
by_memo(struct state *s)
{
	struct ps_unwind_context ctx;
	enum ps_unwind_end end;
	uint64_t hash;

	PS_UNWIND_CALLER(&ctx);
	s->count = (int)ps_unwind_walk_memo(s->memo, &ctx, FRAMES_MAX, s->low,
					    s->high, &hash, &end);
}

static FRAME void
by_recall(struct state *s)
{
	struct ps_recall_from from = {.stack_low = s->low,
				      .stack_high = s->high};
	enum ps_unwind_end end;
	uint64_t hash;
	uint32_t site;

	PS_UNWIND_CALLER(&from.ctx);
	site = ps_recall_site(s->recall, &from);
	if (site != UINT32_MAX) {
		s->count = (int)site; /* the depth was kept as the site */
		return;
	}
	s->count = (int)ps_unwind_walk_memo(s->memo, &from.ctx, FRAMES_MAX,
					    s->low, s->high, &hash, &end);
	ps_recall_keep(s->recall, &from, s->memo, (uint32_t)s->count,
		       (uint32_t)s->count);
}

static const struct way {
	const char *name;
	void (*capture)(struct state *s);
	bool is_ours;
} ways[] = {
    {"frame pointers", by_frame_pointer, false},
    {"unw_backtrace", by_libunwind, false},
    {"backtrace of glibc", by_glibc, false},
    {"walk", by_walk, true},
    {"walk with memo (512K)", by_memo, true},
    {"recall (all)", by_recall, true},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), LIBUNWIND = 1 };

/* ---- stacks ---- */

static double least_ns;
static const struct way *way;

static FRAME int
inner(int depth)
{
	int below = 0;

	if (depth > 1)
		below = inner(depth - 1);
	else
		way->capture(&state);
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

static FRAME int
other_inner(int depth)
{
	int below = 0;

	if (depth > 1)
		below = other_inner(depth - 1);
	else
		way->capture(&state);
	__asm__ volatile("" : "+r"(below));
	return below - 1;
}

static FRAME void
measure_same(void)
{
	for (int b = 0; b < BATCHES; b++) {
		uint64_t begun = ps_os_monotonic_ns();
		double ns;

		for (int i = 0; i < CAPTURES; i++)
			way->capture(&state);
		ns = (double)(ps_os_monotonic_ns() - begun) / CAPTURES;
		least_ns = b == 0 || ns < least_ns ? ns : least_ns;
	}
}

static FRAME void
measure_turns(void)
{
	for (int b = 0; b < BATCHES; b++) {
		uint64_t begun = ps_os_monotonic_ns();
		double ns;

		for (int i = 0; i < CAPTURES / 2; i++) {
			inner(INNER);
			other_inner(INNER);
		}
		ns = (double)(ps_os_monotonic_ns() - begun) / CAPTURES;
		least_ns = b == 0 || ns < least_ns ? ns : least_ns;
	}
}

static FRAME int
recurse(int depth, void (*measure)(void))
{
	int below = 0;

	if (depth > 1)
		below = recurse(depth - 1, measure);
	else
		measure();
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

static void
print_row(const char *name, void (*measure)(void), int frames)
{
	double ns[WAYS];
	int counts[WAYS];

	for (int i = 0; i < WAYS; i++) {
		ns[i] = 0;
		way = &ways[i];
		if (way->capture == by_libunwind && state.libunwind == NULL)
			continue;
		(void)recurse(frames, measure);
		ns[i] = least_ns;
		counts[i] = state.count;
	}
	printf("\n%s, %d calls deep\n", name, frames);
	for (int i = 0; i < WAYS; i++) {
		if (ns[i] == 0)
			continue;
		printf("  %-24s %8.1f ns %4d frames", ways[i].name, ns[i],
		       counts[i]);
		if (ways[i].is_ours && ns[LIBUNWIND] > 0)
			printf("   %5.2fx of unw_backtrace",
			       ns[i] / ns[LIBUNWIND]);
		putchar('\n');
	}
}

/* ---- addresses that are new ---- */

typedef void decode_function(const struct ps_unwind_module *module,
			     uintptr_t pc, struct ps_rule *out);

/* Not at a function's start, where no instruction would have to be run. */
enum { INTO_FUNCTION = 24 };

static double
decode_ns(const struct ps_unwind_module *module, decode_function *decode)
{
	uint32_t count = unwind_oracle_functions(module);
	double least = 0;

	for (int b = 0; b < BATCHES; b++) {
		uint64_t begun = ps_os_monotonic_ns();
		struct ps_rule rule;
		double ns;

		for (uint32_t i = 0; i < count; i++)
			decode(module,
			       unwind_oracle_start(module, i) + INTO_FUNCTION,
			       &rule);
		ns = (double)(ps_os_monotonic_ns() - begun) / count;
		least = b == 0 || ns < least ? ns : least;
	}
	return least;
}

/* With the look-up of the module, as a cold walk has it. */
static void
decode_here(const struct ps_unwind_module *module, uintptr_t pc,
	    struct ps_rule *out)
{
	(void)module;
	ps_unwind_decode(pc, true, out);
}

static void
print_decode(void)
{
	struct ps_unwind_module module;
	double ours;
	double theirs;

	if (!ps_unwind_find_module((uintptr_t)&gnu_get_libc_version, &module))
		return;
	ours = decode_ns(&module, decode_here);
	theirs = decode_ns(&module, unwind_oracle);
	printf("\ndecode, %u addresses of the C library\n",
	       unwind_oracle_functions(&module));
	printf("  %-24s %8.1f ns\n", "step of libunwind", theirs);
	printf("  %-24s %8.1f ns               %5.2fx of libunwind\n", "decode",
	       ours, ours / theirs);
}

int
main(void)
{
	static const int depths[] = {5, 30, 100};
	const char *why = "";
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

	if (ps_unwind_init(&why) != 0) {
		fprintf(stderr, "bench_stack: %s\n", why);
		return EXIT_FAILURE;
	}
	if (library != NULL)
		state.libunwind =
		    (backtrace_function *)dlsym(library, "unw_backtrace");
	state.memo = ps_unwind_memo_open();
	state.recall = ps_recall_open();
	if (state.memo == NULL || state.recall == NULL ||
	    !ps_unwind_stack_bounds((uintptr_t)__builtin_frame_address(0),
				    &state.low, &state.high))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < PS_COUNT(depths); i++) {
		print_row("same", measure_same, depths[i]);
		print_row("turns", measure_turns, depths[i]);
	}
	print_decode();
	return EXIT_SUCCESS;
}
