/* SPDX-License-Identifier: MIT */
/*
 * full - fills the tables of a recording: 65536 stacks of 30 frames, 4000
 * sections, a quarter of a million calls
 *
 * The stacks part at their outer end, which is the worst that a tree of them
 * can be asked for.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 26, STACKS = 65536, SECTIONS = 4000, CALLS = 262144 };

static void *volatile kept;
/* As other languages do; NULL without the shim. */
static void (*begin)(const char *name);
static void (*end)(const char *name);
typedef void step(unsigned path, int depth);
static step *const steps[16];

static __attribute__((noinline)) void
descend(unsigned path, int depth)
{
	if (depth > 0) {
		descend(path, depth - 1);
		__asm__ volatile("");
		return;
	}
	void **block = malloc(64 + path % 1000);

	*block = kept;
	kept = block;
}

#define STEP(n)                                                                \
	static                                                                 \
	    __attribute__((noinline)) void step_##n(unsigned path, int depth)  \
	{                                                                      \
		if (depth > DEPTH)                                             \
			steps[path >> (4 * (depth - DEPTH - 1)) & 15](         \
			    path, depth - 1);                                  \
		else                                                           \
			descend(path, depth);                                  \
		__asm__ volatile("");                                          \
	}
/* clang-format off */
STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
STEP(8) STEP(9) STEP(10) STEP(11) STEP(12) STEP(13) STEP(14) STEP(15)
static step *const steps[16] = {
	step_0, step_1, step_2, step_3, step_4, step_5, step_6, step_7,
	step_8, step_9, step_10, step_11, step_12, step_13, step_14, step_15,
};
/* clang-format on */

int
main(void)
{
	char name[32];

	for (unsigned i = 0; i < STACKS; i++)
		step_0(i, DEPTH + 4);
	begin = (void (*)(const char *))dlsym(RTLD_DEFAULT, "perfshim_begin");
	end = (void (*)(const char *))dlsym(RTLD_DEFAULT, "perfshim_end");
	for (unsigned i = 0; begin != NULL && i < CALLS; i++) {
		snprintf(name, sizeof(name), "section %u", i % SECTIONS);
		begin(name);
		end(name);
	}
	return 0;
}
