/* SPDX-License-Identifier: MIT */
/*
 * cli_watch - perfreport --watch: running processes on the terminal
 *
 * One screen: the processes above, the chosen one's sections, sites and alerts
 * below.  Looked at once a second; what is drawn is cut to the terminal's
 * width and height, so any size will do.
 */
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_watch.h"
#include "report/cli_watch_detail.h"
#include "report/cli_watch_rows.h"

enum {
	LOOK_MS = 1000,
	HEAD_LINES = 3, /* above the processes */
	ESCAPE_KEY = 27,
	DELETE_KEY = 127,
	LINE_BYTES = 400,
};

static struct ps_live live;
static struct ps_watch_rows rows;
static struct ps_detail detail;
static struct {
	ino_t inode; /* of the chosen process's recording */
	int index;
	bool has_chosen; /* by a key */
	bool is_paused;
	bool is_filtering; /* keys go into the filter */
	bool is_over;
	char message[120]; /* until the next key */
} state;
_Static_assert(sizeof(state.message) <= LINE_BYTES, "a message is a line");
_Static_assert(sizeof(detail.alert[0]) <= LINE_BYTES, "and so is an alert");

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- what is shown ------------------------------------------------------ */

/* The chosen process stays so when others move; before a choice, the first. */
static void
find_chosen(void)
{
	if (!state.has_chosen) {
		state.inode = 0;
		state.index = 0;
	}
	for (int i = 0; i < rows.count; i++)
		if (rows.row[i].node->inode == state.inode)
			state.index = i;
	if (state.index >= rows.count)
		state.index = rows.count - 1;
	if (state.index < 0)
		state.index = 0;
	if (rows.count > 0)
		state.inode = rows.row[state.index].node->inode;
}

static void
look(void)
{
	double now = now_s();

	(void)ps_live_refresh(&live);
	ps_watch_rows_update(&rows, &live, now);
	find_chosen();
	if (rows.count > 0)
		(void)ps_detail_update(&detail, rows.row[state.index].node,
				       now);
	else
		memset(&detail, 0, sizeof(detail));
}

/* ---- drawing ------------------------------------------------------------ */

/* A line, cut at the edges; returns the next one.  A name in it may be hostile:
 * a line feed would move what follows. */
static int
put_line(int line, const char *text)
{
	char shown[4 * LINE_BYTES];
	struct ps_text t;

	ps_text_init(&t, shown, sizeof(shown), -1);
	ps_text_printable(&t, text);
	PS_ASSERT(t.cut == 0);
	if (line < LINES && COLS > 0)
		mvaddnstr(line, 0, shown, COLS);
	return line + 1;
}

static int
put_heading(int line, const char *text)
{
	attron(A_BOLD);
	line = put_line(line, text);
	attroff(A_BOLD);
	return line;
}

static const char *
human_or_dash(char *out, double value,
	      const char *(*human)(char *out, double value))
{
	if (isnan(value))
		return "-";
	/* Negative growth has no human form of its own. */
	if (value >= 0)
		return human(out, value);
	out[0] = '-';
	(void)human(out + 1, -value);
	return out;
}

/* All but the name: what a terminal of 80 columns leaves is the name's. */
enum { ROW_COLUMNS = 69, NAME_LEAST = 8, NAME_MOST = 20 };

static int
name_columns(void)
{
	int room = PS_MIN(COLS - ROW_COLUMNS, NAME_MOST);

	_Static_assert(NAME_LEAST <= 80 - ROW_COLUMNS, "80 columns will do");
	_Static_assert(NAME_LEAST <= NAME_MOST, "a range");
	return PS_MAX(room, NAME_LEAST);
}

static void
format_row(char *line, const struct ps_watch_row *r)
{
	int name = name_columns();

	char heap[20];
	char growth[20];
	char rate[20];
	char rss[20];

	snprintf(line, LINE_BYTES,
		 "%7d %-*.*s %-7s %9s %9s/s %6s/s %9s %4u %6u", r->pid, name,
		 name, r->name, r->node->is_gone ? "gone" : "running",
		 human_or_dash(heap, r->heap_bytes, ps_human_bytes),
		 human_or_dash(growth, r->growth_per_s, ps_human_bytes),
		 human_or_dash(rate, r->allocations_per_s, ps_human_count),
		 human_or_dash(rss, r->rss_bytes, ps_human_bytes), r->threads,
		 r->alerts);
}

static int
draw_processes(int line, int last)
{
	char text[LINE_BYTES];
	int room = last - line;
	int first = state.index >= room ? state.index - room + 1 : 0;

	PS_ASSERT(room >= 0 && first >= 0);
	for (int i = first; i < rows.count && line < last; i++) {
		format_row(text, &rows.row[i]);
		if (i == state.index)
			attron(A_REVERSE);
		line = put_line(line, text);
		attroff(A_REVERSE);
	}
	return line;
}

static int
draw_sections(int line)
{
	char text[LINE_BYTES];
	char a[20];
	char b[20];
	char c[20];
	char d[20];
	char e[20];

	if (detail.sections == 0)
		return line;
	snprintf(text, sizeof(text), "%-24s %10s %9s %9s %9s %9s",
		 "SECTIONS (last 10 s)", "calls/s", "p50", "p99", "max",
		 "total");
	line = put_heading(line, text);
	for (int i = 0; i < detail.sections; i++) {
		const struct ps_detail_section *s = &detail.section[i];

		snprintf(text, sizeof(text), "  %-22.22s %10s %9s %9s %9s %9s",
			 s->name,
			 human_or_dash(a, s->calls_per_s, ps_human_count),
			 human_or_dash(b, s->p50_s, ps_human_time),
			 human_or_dash(c, s->p99_s, ps_human_time),
			 human_or_dash(d, s->max_s, ps_human_time),
			 human_or_dash(e, s->total_s, ps_human_time));
		line = put_line(line, text);
	}
	return line + 1;
}

static int
draw_sites(int line)
{
	char text[LINE_BYTES];
	char a[20];
	char b[20];

	line = put_heading(line, "MEMORY IN USE");
	for (int i = 0; i < detail.sites; i++) {
		const struct ps_detail_site *s = &detail.site[i];

		snprintf(text, sizeof(text), "%12s %8s  %s",
			 ps_human_bytes(a, s->live_bytes),
			 ps_human_count(b, s->live_blocks), s->name);
		line = put_line(line, text);
	}
	return line + 1;
}

static int
draw_alerts(int line)
{
	if (detail.alerts == 0)
		return line;
	line = put_heading(line, "ALERTS");
	for (int i = 0; i < detail.alerts; i++)
		line = put_line(line, detail.alert[i]);
	return line;
}

static void
draw_head(void)
{
	char text[LINE_BYTES];
	int running = 0;

	for (int i = 0; i < rows.count; i++)
		running += !rows.row[i].node->is_gone;
	snprintf(text, sizeof(text),
		 "perfshim  %.60s  processes %d, running %d%s%s%s  by %s%s",
		 live.path, rows.count, running,
		 rows.filter[0] == '\0' ? "" : "  /", rows.filter,
		 state.is_filtering ? "_" : "", ps_watch_order_name(rows.order),
		 state.is_paused ? "  PAUSED" : "");
	(void)put_line(0, text);
	(void)put_line(1, state.message[0] != '\0'
			      ? state.message
			      : "up/down choose  s sort  / filter  p pause  "
				"w write its report  q quit");
	snprintf(text, sizeof(text), "%7s %-*s %-7s %9s %11s %8s %9s %4s %6s",
		 "pid", name_columns(), "name", "state", "heap", "growth",
		 "allocs", "RSS", "thrd", "alerts");
	(void)put_heading(2, text);
}

static void
draw(void)
{
	int half = PS_MAX(LINES / 2, HEAD_LINES + 1);
	int last = PS_MIN(HEAD_LINES + rows.count, half);
	int line;

	erase();
	draw_head();
	line = draw_processes(HEAD_LINES, last);
	if (!live.is_readable)
		line = put_line(line, "  the directory cannot be read");
	else if (rows.count == 0)
		line = put_line(line, "  no recordings yet");
	line = draw_sections(line + 1);
	line = draw_sites(line);
	(void)draw_alerts(line);
	refresh();
}

/* ---- keys --------------------------------------------------------------- */

static void
take_filter_key(int key)
{
	size_t length = strlen(rows.filter);

	PS_ASSERT(length < sizeof(rows.filter));
	if (key == '\n' || key == KEY_ENTER || key == ESCAPE_KEY) {
		state.is_filtering = false;
		if (key == ESCAPE_KEY)
			rows.filter[0] = '\0';
	} else if (key == KEY_BACKSPACE || key == DELETE_KEY || key == '\b') {
		if (length > 0)
			rows.filter[length - 1] = '\0';
	} else if (key >= ' ' && key < DELETE_KEY &&
		   length + 1 < sizeof(rows.filter)) {
		rows.filter[length] = (char)key;
		rows.filter[length + 1] = '\0';
	}
}

static void
move_to(int index)
{
	if (index < 0 || index >= rows.count)
		return;
	state.has_chosen = true;
	state.index = index;
	state.inode = rows.row[index].node->inode;
}

static void
write_chosen(void)
{
	char name[64];
	int error;

	if (rows.count == 0)
		return;
	PS_ASSERT(state.index >= 0 && state.index < rows.count);
	PS_ASSERT(rows.row[state.index].node < live.node + live.count);
	error = ps_detail_write(rows.row[state.index].node, name, sizeof(name));
	if (error == 0)
		snprintf(state.message, sizeof(state.message), "wrote %s",
			 name);
	else
		snprintf(state.message, sizeof(state.message), "%s: %s", name,
			 strerror(-error));
}

static void
take_key(int key)
{
	state.message[0] = '\0';
	if (state.is_filtering) {
		take_filter_key(key);
		return;
	}
	switch (key) {
	case 'q':
		state.is_over = true;
		break;
	case KEY_UP:
	case 'k':
		move_to(state.index - 1);
		break;
	case KEY_DOWN:
	case 'j':
		move_to(state.index + 1);
		break;
	case 's':
		rows.order = (rows.order + 1) % PS_ORDERS;
		break;
	case '/':
		state.is_filtering = true;
		break;
	case 'p':
		state.is_paused = !state.is_paused;
		break;
	case 'w':
		write_chosen();
		break;
	default:
		break;
	}
}

/* A key, or a second gone by; a key shows its effect at once. */
static void
step(void)
{
	int key = getch();

	if (key != ERR)
		take_key(key);
	if (!state.is_paused)
		look();
	draw();
}

int
ps_cli_watch(const char *path)
{
	int error;

	ps_live_init(&live, path);
	error = ps_live_refresh(&live);
	if (error != 0) {
		ps_complain_of(path, strerror(-error));
		return PS_CLI_BROKEN;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		ps_usage_error("--watch", "", "needs a terminal");
	(void)setlocale(LC_ALL, "");
	if (initscr() == NULL)
		return PS_CLI_BROKEN;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	set_escdelay(50);
	timeout(LOOK_MS);
	look();
	draw();
	while (!state.is_over)
		step();
	endwin();
	ps_detail_close();
	ps_live_close(&live);
	return 0;
}
