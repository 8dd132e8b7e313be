/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/os.h"
#include "monitor/alert_text.h"
#include "record/writer.h"
#include "shim/deliver.h"
#include "shim/finish.h"
#include "shim/path.h"
#include "shim/start.h"

enum { LINE_BYTES = 2048 }; /* below PIPE_BUF: lines of two writers never mix */

static const char socket_prefix[] = "unix:";
static PS_BIG char line[LINE_BYTES];
static PS_BIG char path[PS_PATH_MAX * 2];

static bool
is_word(const char *word)
{
	return strcmp(ps_options.alert_to, word) == 0;
}

static bool
is_socket(void)
{
	return strncmp(ps_options.alert_to, socket_prefix,
		       sizeof(socket_prefix) - 1) == 0;
}

void
ps_deliver_init(void)
{
	if (!is_word("stderr") && !is_word("none") && !is_socket())
		ps_path_make_absolute(ps_options.alert_to);
}

static bool
to_stderr(const struct ps_alert_words *words)
{
	struct ps_text text;

	if (!ps_finish_is_stderr_ours())
		return true;
	ps_text_init(&text, line, sizeof(line) - 1, -1);
	ps_text_str(&text, "perfshim: alert: ");
	ps_alert_put_line(&text, words);
	line[text.length++] = '\n';
	return ps_os_is_writable(2) &&
	       ps_os_write(2, line, text.length) == (ssize_t)text.length;
}

static bool
to_file(size_t length)
{
	ssize_t put;
	int fd;

	(void)ps_path_expand(ps_options.alert_to, path, sizeof(path));
	fd = ps_os_open_append(path);
	if (fd < 0)
		return false;
	put = ps_os_write(fd, line, length);
	(void)ps_os_close(fd);
	return put == (ssize_t)length;
}

static bool
to_socket(size_t length)
{
	(void)ps_path_expand(ps_options.alert_to + sizeof(socket_prefix) - 1,
			     path, sizeof(path));
	return ps_os_send(path, line, length) == 0;
}

bool
ps_deliver(const struct ps_alert *alert, const struct ps_rule *rule,
	   uint32_t thread, const char *section)
{
	struct ps_text text;
	const struct ps_alert_words words = {
	    .rule = rule->text,
	    .section = section,
	    .exe = ps_record_entry(PS_TABLE_STRINGS, ps_record->process.name),
	    .pid = (uint32_t)ps_os_pid(),
	    .thread = thread,
	    .severity = alert->severity,
	    .unit = alert->unit,
	    .value = alert->value,
	    .threshold = alert->threshold,
	    .time_s = (double)ps_os_realtime_ns() * 1e-9,
	};

	if (is_word("none"))
		return true;
	if (is_word("stderr"))
		return to_stderr(&words);
	ps_text_init(&text, line, sizeof(line), -1);
	ps_alert_put_json(&text, &words);
	ps_text_char(&text, '\n');
	if (text.cut != 0)
		return false;
	return is_socket() ? to_socket(text.length) : to_file(text.length);
}
