/* SPDX-License-Identifier: MIT */
/*
 * names - calls itself, its threads, sections and modules by names that would
 * take a terminal, a line or a document over if they were printed as they are
 *
 *   names [LIBRARY [SECONDS]]
 *
 * The library is opened, and its plugin_work allocates.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern void perfshim_begin(const char *name) __attribute__((weak));
extern void perfshim_end(const char *name) __attribute__((weak));

static const char *const sections[] = {
    "\033]0;owned\a",
    "line\nfake 99999999",
    "quote\" back\\slash",
    "semi;colon 12 34",
    "</script><script>alert(1)</script>",
    "\xc2\x9b[31m C1",
    "not utf-8 \xff\xfe\xc0\xaf",
    "tab\tand\rreturn",
    "label\",evil=\"1",
    "fn=(1) evil\ncalls=77 1",
};
enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static void *kept[1000];

__attribute__((noinline)) static void
allocate(unsigned at)
{
	kept[at % 1000] = malloc(5000);
	memset(kept[at % 1000], 1, 5000);
}

static void
in_sections(void)
{
	for (unsigned i = 0; i < SECTIONS; i++) {
		perfshim_begin(sections[i]);
		allocate(i);
		if (i + 1 < SECTIONS) {
			perfshim_begin(sections[i + 1]);
			allocate(i + 100);
			perfshim_end(sections[i + 1]);
		}
		perfshim_end(sections[i]);
	}
}

static void *
in_thread(void *argument)
{
	prctl(PR_SET_NAME, "\033]0;t\a\n\"<\xff");
	for (unsigned i = 0; i < 50; i++)
		allocate(i + 200);
	in_sections();
	return argument;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int (*work)(int) = library == NULL
			       ? NULL
			       : (int (*)(int))dlsym(library, "plugin_work");

	if (work != NULL)
		(void)work(100);
	if (perfshim_begin != NULL)
		in_sections();
	if (perfshim_begin != NULL &&
	    pthread_create(&thread, NULL, in_thread, NULL) == 0)
		pthread_join(thread, NULL);
	sleep(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
	return work == NULL;
}
