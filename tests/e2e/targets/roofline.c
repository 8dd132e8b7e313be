/* SPDX-License-Identifier: MIT */
/*
 * roofline - one section that waits for memory and one that computes
 *
 * Both declare what they do.  roofline neighbours: with twice as many other
 * processes as CPUs, that compute.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { FLOATS = 4 << 20, ADDS = 6, CHAINS = 8, STEPS = 3000000 };

static volatile float sink;

static void
add_arrays(void)
{
	float *a = calloc(FLOATS, sizeof(*a));
	float *b = calloc(FLOATS, sizeof(*b));

	if (a == NULL || b == NULL)
		abort();
	for (int k = 0; k < ADDS; k++) {
		PERFSHIM_SECTION ("adds") {
			for (int i = 0; i < FLOATS; i++)
				a[i] += b[i];
			PERFSHIM_BYTES(3ull * FLOATS * sizeof(*a));
			PERFSHIM_FLOPS(FLOATS);
		}
	}
	sink = a[FLOATS / 2];
	free(a);
	free(b);
}

/* In registers only. */
static void
multiply_in_registers(void)
{
	float x[CHAINS];

	for (int c = 0; c < CHAINS; c++)
		x[c] = 1 + (float)c;
	for (int k = 0; k < ADDS; k++) {
		PERFSHIM_SECTION ("multiplies") {
			for (int i = 0; i < STEPS; i++)
				for (int c = 0; c < CHAINS; c++)
					x[c] = x[c] * 0.999f + 0.001f;
			PERFSHIM_BYTES(STEPS / 4); /* say */
			PERFSHIM_FLOPS(2ull * STEPS * CHAINS);
		}
	}
	sink = x[0] + x[CHAINS - 1];
}

/* More of them than there are CPUs, until we are done. */
static void
disturb(pid_t *children, int count)
{
	for (int i = 0; i < count; i++) {
		children[i] = fork();
		while (children[i] == 0)
			;
	}
}

int
main(int argc, char **argv)
{
	int count = argc > 1 ? 2 * (int)sysconf(_SC_NPROCESSORS_ONLN) : 0;
	pid_t children[256];

	if (count > 256)
		count = 256;
	disturb(children, count);
	add_arrays();
	multiply_in_registers();
	for (int i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	puts("done");
	return 0;
}
