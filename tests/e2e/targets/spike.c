/* SPDX-License-Identifier: MIT */
/*
 * spike - 200 MiB of small and of large blocks, freed; then little happens for
 * some seconds.  Prints resident KiB: at the peak, and at the end.
 *
 *   spike SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 400000, LARGE = 100, LARGE_BYTES = 1 << 20 };

static void *block[SMALL + LARGE];

static long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		return -1;
	fclose(f);
	return pages * 4;
}

int
main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < SMALL; i++) {
		size_t size = 16 + (size_t)(i * 37 % 480);

		block[i] = memset(malloc(size), 1, size);
	}
	for (int i = SMALL; i < SMALL + LARGE; i++)
		block[i] = memset(malloc(LARGE_BYTES), 1, LARGE_BYTES);
	printf("%ld\n", resident_kib());
	for (int i = 0; i < SMALL + LARGE; i++)
		free(block[i]);
	for (int i = 0; i < seconds * 100; i++) {
		for (int k = 0; k < 1000; k++)
			block[k] = malloc(100);
		for (int k = 0; k < 1000; k++)
			free(block[k]);
		usleep(10000);
	}
	printf("%ld\n", resident_kib());
	return 0;
}
