/* SPDX-License-Identifier: MIT */
/*
 * cli_alerts - perfreport --alerts: alerts as lines, as they come
 *
 * For each recording the number of alerts is remembered and, because a rule's
 * newest row may be written over, the version of each.  A recording that goes
 * away is forgotten with its place in the table.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monitor/alert_text.h"
#include "report/cli_alerts.h"
#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_live.h"
#include "report/cli_source.h"
#include "report/json_alerts.h"

enum { ALERTS_MAX = 256, BUFFER_BYTES = 1 << 16, PAUSE_NS = 250000000 };

/* What was told of one recording. */
struct told {
	dev_t device;
	ino_t inode;
	uint32_t version[ALERTS_MAX];
};

static struct told told[PS_LIVE_MAX];
static struct ps_live live;
static char buffer[BUFFER_BYTES];
static struct ps_stack_names names;
static bool is_in_words;

static struct told *
told_of(const struct ps_live_node *n)
{
	struct told *free = NULL;

	PS_ASSERT(n >= live.node && n < live.node + live.count);
	for (int i = 0; i < PS_LIVE_MAX; i++) {
		if (told[i].inode == n->inode && told[i].device == n->device)
			return &told[i];
		if (told[i].inode == 0 && free == NULL)
			free = &told[i];
	}
	PS_ASSERT(free != NULL); /* forget() keeps as many as there are nodes */
	free->device = n->device;
	free->inode = n->inode;
	return free;
}

static bool
is_there(const struct told *t)
{
	for (int i = 0; i < live.count; i++)
		if (live.node[i].inode == t->inode &&
		    live.node[i].device == t->device)
			return true;
	return false;
}

static void
forget_gone(void)
{
	for (int i = 0; i < PS_LIVE_MAX; i++)
		if (told[i].inode != 0 && !is_there(&told[i]))
			memset(&told[i], 0, sizeof(told[i]));
}

/* Whether there is anything new, before symbols are looked up. */
static bool
has_news(const struct ps_live_node *n, const struct told *t)
{
	uint32_t count =
	    PS_MIN(n->reader.count[PS_TABLE_ALERTS], (uint32_t)ALERTS_MAX);

	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_alert *row =
		    ps_reader_entry(&n->reader, PS_TABLE_ALERTS, i);

		if (ps_peek(&row->version) != t->version[i])
			return true;
	}
	return false;
}

static void
put_words(const struct ps_reader *r, const struct ps_view_alert *a,
	  struct ps_text *out)
{
	const struct ps_record_process *p = &r->header->process;
	const struct ps_alert_words words = {
	    .rule = a->rule,
	    .section = a->section,
	    .exe = ps_reader_string(r, p->name),
	    .pid = (uint32_t)p->pid,
	    .severity = a->row.severity,
	    .unit = a->row.unit,
	    .value = a->row.value,
	    .threshold = a->row.threshold,
	};

	ps_alert_put_line(out, &words);
}

static void
tell(const struct ps_source *s, struct told *t, struct ps_text *out)
{
	uint32_t count =
	    PS_MIN(s->reader->count[PS_TABLE_ALERTS], (uint32_t)ALERTS_MAX);
	struct ps_view_alert a;

	for (uint32_t i = 0; i < count; i++) {
		if (!ps_view_alert(s->reader, i, &a) ||
		    a.version == t->version[i])
			continue;
		PS_ASSERT(a.version % 2 == 0);
		t->version[i] = a.version;
		if (is_in_words)
			put_words(s->reader, &a, out);
		else
			ps_json_alert(s->reader, &a, s->symbols, &names, out);
		ps_text_char(out, '\n');
	}
}

static void
look(struct ps_text *out)
{
	const struct ps_report_options options = {.exit_code = -1};
	struct ps_source source;

	(void)ps_live_refresh(&live);
	forget_gone();
	/* The oldest process first. */
	for (int i = live.count - 1; i >= 0; i--) {
		const struct ps_live_node *n = &live.node[i];
		struct told *t = told_of(n);

		if (!has_news(n, t) ||
		    ps_source_open(&source, &n->reader, n->path, NULL,
				   &options) != 0)
			continue;
		tell(&source, t, out);
		ps_source_close(&source);
	}
	ps_text_flush(out);
}

/* Until a signal asks for the end, or nobody reads. */
static void
follow(struct ps_text *out, const sigset_t *ends)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	_Static_assert(PAUSE_NS < 1000000000, "less than a second");
	while (out->error == 0 && sigtimedwait(ends, NULL, &pause) < 0)
		look(out);
}

int
ps_cli_alerts(const struct ps_arguments *a, const char *path)
{
	struct ps_text out;
	sigset_t ends;
	int error;

	_Static_assert(ALERTS_MAX >= 256, "as many as a recording has");
	PS_ASSERT(a->task == PS_TASK_ALERTS);
	is_in_words = a->task_argument != NULL;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	ps_live_init(&live, path);
	error = ps_live_refresh(&live);
	if (error != 0 && !a->is_following) {
		ps_complain_of(path, strerror(-error));
		return PS_CLI_BROKEN;
	}
	ps_text_init(&out, buffer, sizeof(buffer), STDOUT_FILENO);
	if (a->output != NULL)
		ps_output_open(a, &out);
	look(&out);
	if (a->is_following)
		follow(&out, &ends);
	look(&out);
	ps_live_close(&live);
	if (out.error == -EPIPE)
		return 0;
	return ps_output_close(a, &out) == 0 ? 0 : PS_CLI_BROKEN;
}
