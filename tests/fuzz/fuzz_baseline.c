/* SPDX-License-Identifier: MIT */
/*
 * fuzz_baseline - libFuzzer over the file that --baseline reads (make fuzz)
 *
 * perfbench refuses a file by ending, and what it holds then is the kernel's to
 * free.  Here refusing is a jump, and memory is remembered so that it can be
 * freed: this file stands in for perfbench_say.c, and perfbench's `free` is
 * ps_fuzz_free.
 */
#undef free
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/perfbench.h"

enum { BLOCKS_MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
void ps_fuzz_free(void *block);

static jmp_buf refused;
static void *blocks[BLOCKS_MOST];
static size_t block_count;

static void *
remember(void *block)
{
	if (block == NULL || block_count == BLOCKS_MOST)
		longjmp(refused, 1);
	blocks[block_count++] = block;
	return block;
}

void
ps_fuzz_free(void *block)
{
	for (size_t i = block_count; i-- > 0;) {
		if (blocks[i] != block)
			continue;
		blocks[i] = blocks[--block_count];
		break;
	}
	free(block);
}

static void *
make(size_t bytes)
{
	return remember(malloc(bytes));
}

static void
free_all(void)
{
	while (block_count > 0)
		free(blocks[--block_count]);
}

void
pb_say(const char *format, ...)
{
	(void)format;
}

_Noreturn void
pb_usage_error(const char *format, ...)
{
	(void)format;
	longjmp(refused, 1);
}

void *
pb_alloc(size_t bytes)
{
	return remember(calloc(1, bytes == 0 ? 1 : bytes));
}

char *
pb_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return remember(length < 0 ? NULL : text);
}

/* What was taken is a baseline that the gate can use. */
static void
check(const struct pb_baseline *b)
{
	const struct pb_series *time = pb_series_find(&b->subject, "time");

	if (time == NULL || b->subject.runs < 2 ||
	    memchr(b->machine.cpu, 0, sizeof(b->machine.cpu)) == NULL)
		abort();
	for (size_t i = 0; i < b->subject.runs; i++)
		if (time->values[i] < 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char path[256];
	static struct pb_options options;
	static struct pb_session session;
	static int fd = -1;
	static struct pb_baseline baseline;

	if (fd < 0) {
		const char *place = getenv("TMPDIR");

		snprintf(path, sizeof(path), "%s/perfshim-fuzz-XXXXXX",
			 place == NULL ? "/tmp" : place);
		fd = mkstemp(path);
		json_set_alloc_funcs(make, ps_fuzz_free);
	}
	if (ftruncate(fd, 0) != 0 ||
	    pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
	options.is_shimmed = size > 0 && bytes[size - 1] != ' ';
	session.options = &options;
	session.subjects[0].text = "true";
	session.subject_count = 1;
	memset(&baseline, 0, sizeof(baseline));
	if (setjmp(refused) == 0) {
		pb_baseline_read(&session, path, &baseline);
		check(&baseline);
	}
	free_all();
	return 0;
}
