/* SPDX-License-Identifier: MIT */
/*
 * perfbench_say - complaints, and memory that is there or ends the program
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/perfbench_options.h"

void
pb_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("perfwrap.sh: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

_Noreturn void
pb_usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("perfwrap.sh: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
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
