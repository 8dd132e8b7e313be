/* SPDX-License-Identifier: MIT */
/*
 * perfbench_say - complaints, and memory that is there or ends the program
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "report/perfbench_options.h"

/* In words that a terminal does not obey: commands and paths are among them. */
static void
say(const char *format, va_list arguments)
{
	char plain[2048];
	char line[4 * sizeof(plain)];
	struct ps_text t;

	vsnprintf(plain, sizeof(plain), format, arguments);
	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printable(&t, plain);
	PS_ASSERT(t.cut == 0); /* four columns a byte, at most */
	fprintf(stderr, "perfwrap.sh: %s\n", line);
}

void
pb_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

_Noreturn void
pb_usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	exit(PB_USAGE);
}

void *
pb_alloc(size_t bytes)
{
	void *p = calloc(1, bytes == 0 ? 1 : bytes);

	if (p != NULL)
		return p;
	pb_say("no memory");
	exit(PB_FAILED);
}

char *
pb_format(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length >= 0)
		return text;
	pb_say("no memory");
	exit(PB_FAILED);
}
