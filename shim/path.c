/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/os.h"
#include "base/text.h"
#include "record/writer.h"
#include "shim/path.h"

void
ps_path_make_absolute(char path[PS_PATH_MAX])
{
	char here[PS_PATH_MAX];
	char joined[PS_PATH_MAX];
	struct ps_text text;
	ssize_t length;

	if (path[0] == '\0' || path[0] == '/')
		return;
	length = ps_os_readlink("/proc/self/cwd", here, sizeof(here) - 1);
	if (length <= 0)
		return;
	here[length] = '\0';
	ps_text_init(&text, joined, sizeof(joined), -1);
	ps_text_printf(&text, "%s/%s", here, path);
	if (text.cut == 0)
		memcpy(path, joined, text.length + 1);
}

bool
ps_path_expand(const char *pattern, char *out, size_t bytes)
{
	const char *exe =
	    ps_record_entry(PS_TABLE_STRINGS, ps_record->process.name);
	struct ps_text text;
	bool has_pid = false;

	ps_text_init(&text, out, bytes, -1);
	for (const char *c = pattern; *c != '\0'; c++) {
		if (c[0] == '%' && c[1] == 'p') {
			ps_text_printf(&text, "%d", ps_os_pid());
			has_pid = true;
			c++;
		} else if (c[0] == '%' && c[1] == 'e') {
			ps_text_file_name(&text, exe);
			c++;
		} else {
			ps_text_char(&text, *c);
		}
	}
	return has_pid;
}
