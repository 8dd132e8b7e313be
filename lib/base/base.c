/* SPDX-License-Identifier: MIT */
/*
 * base - how a broken invariant ends: one line, then a trap
 */
#include "base/os.h"
#include "base/text.h"

void
ps_assert_failed(const char *cond, const char *file, int line)
{
	char buffer[400];
	struct ps_text t;

	ps_text_init(&t, buffer, sizeof(buffer), -1);
	ps_text_str(&t, "assertion failed: ");
	ps_text_str(&t, cond);
	ps_text_str(&t, " at ");
	ps_text_str(&t, file);
	ps_text_char(&t, ':');
	ps_text_u64(&t, (uint64_t)line);
	ps_os_complain(buffer);
	__builtin_trap();
}
