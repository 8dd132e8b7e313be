/* SPDX-License-Identifier: MIT */
/*
 * hostile - names that are markup, in every place where a program has names
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

static const char *const names[] = {
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "<!--<script>",
    "&lt;b&gt;&amp;",
    "\"'`${document.title='owned'}",
    "\xe2\x80\xa8line\xe2\x80\xa9",
    "\xff\xfe\x1b[31m",
    "__proto__",
    "constructor",
    "javascript:document.title='owned'",
};

static void *volatile kept;
/* As other languages do; NULL without the shim. */
static void (*begin)(const char *name);
static void (*end)(const char *name);

#line 1 "<i>file&.c"
__attribute__((noinline)) void allocate(size_t bytes) __asm__(
    "\"<img src=x onerror=document.title='owned'>\"");

void
allocate(size_t bytes)
{
	void **block = malloc(bytes);

	*block = kept;
	kept = block;
}

static void *
in_thread(void *unused)
{
	(void)unused;
	(void)prctl(PR_SET_NAME, "<u>thread&\"'");
	for (int i = 0; i < 100; i++)
		allocate(5000);
	return NULL;
}

int
main(void)
{
	pthread_t thread;

	begin = (void (*)(const char *))dlsym(RTLD_DEFAULT, "perfshim_begin");
	end = (void (*)(const char *))dlsym(RTLD_DEFAULT, "perfshim_end");
	for (unsigned i = 0;
	     begin != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		begin(names[i]);
		allocate(1 << 16);
		end(names[i]);
	}
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	return 0;
}
