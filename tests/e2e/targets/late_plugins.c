/* SPDX-License-Identifier: MIT */
/*
 * late_plugins - allocates, waits for a byte on standard input, and only then
 * loads libraries, works in each of them, and waits again
 *
 *   late_plugins LIBRARY...
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCKS = 1000 };

static void *volatile kept[BLOCKS];

__attribute__((noinline)) static void
keep(void)
{
	for (int i = 0; i < BLOCKS; i++)
		kept[i] = malloc(1000);
}

int
main(int argc, char **argv)
{
	char byte;

	keep();
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 1;
	for (int i = 1; i < argc; i++) {
		void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
		int (*work)(int);

		if (library == NULL)
			return 2;
		work = (int (*)(int))dlsym(library, "plugin_work");
		if (work == NULL || work(100) == 0)
			return 3;
	}
	return read(STDIN_FILENO, &byte, 1) == 1;
}
