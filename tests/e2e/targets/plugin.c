/* SPDX-License-Identifier: MIT */
/*
 * plugin - loads libplugin.so, works in it and unloads it, several times
 */
#include <dlfcn.h>
#include <stdio.h>

#include "shim/perfshim.h"

int
main(int argc, char **argv)
{
	int sum = 0;

	if (argc != 2)
		return 2;
	for (int round = 0; round < 5; round++) {
		void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		int (*work)(int);

		if (!library) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		work = (int (*)(int))dlsym(library, "plugin_work");
		PERFSHIM_SECTION ("host_section") {
			for (int i = 0; i < 20; i++)
				sum += work(100);
		}
		dlclose(library);
	}
	printf("%d\n", sum);
	return 0;
}
