/* SPDX-License-Identifier: MIT */
/*
 * slowcall - a thread whose call of a section is slow, among quick ones of
 * another thread
 *
 *   slowcall scope|name|span
 *
 * Prints the id of the slow call's thread.  Who notices is the quick thread,
 * which allocates and begins sections all the time.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { SLOW_US = 500000, QUICK = 22000 };

static void (*begin)(const char *);
static void (*end)(const char *);
static const char *kind;

__attribute__((noinline)) static void
request(unsigned us)
{
	perfshim_span span;

	if (strcmp(kind, "scope") == 0) {
		PERFSHIM_SECTION ("request") {
			usleep(us);
		}
	} else if (strcmp(kind, "name") == 0) {
		begin("request");
		usleep(us);
		end("request");
	} else {
		PERFSHIM_SPAN_BEGIN(&span, "request");
		usleep(us);
		PERFSHIM_SPAN_END(&span);
	}
	__asm__ volatile("" : : : "memory"); /* no tail call */
}

static void *
stall(void *unused)
{
	printf("%d\n", (int)gettid());
	fflush(stdout);
	request(1); /* the section is known, and watched, from now on */
	usleep(100000);
	request(SLOW_US);
	return unused;
}

static void
hurry(void)
{
	for (unsigned i = 0; i < QUICK; i++) {
		free(malloc(i % 1000));
		request(1);
	}
}

int
main(int argc, char **argv)
{
	pthread_t slow;

	kind = argc > 1 ? argv[1] : "scope";
	*(void **)&begin = dlsym(RTLD_DEFAULT, "perfshim_begin");
	*(void **)&end = dlsym(RTLD_DEFAULT, "perfshim_end");
	if (begin == NULL && strcmp(kind, "name") == 0)
		return 0;
	if (pthread_create(&slow, NULL, stall, NULL) != 0)
		return 1;
	hurry();
	return pthread_join(slow, NULL);
}
