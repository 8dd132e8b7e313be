/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monitor/alert_text.h"
#include "monitor/recording_source.h"
#include "report/cli_symbols_dw.h"
#include "report/cli_watch_detail.h"
#include "report/text_parts.h"
#include "report/view_alert.h"

enum { BUFFER_BYTES = 1 << 16, NAME_BYTES = 400 };
static const uint64_t window_ns = UINT64_C(10000000000);

/* The process that is chosen; one at a time. */
static struct {
	bool is_open;
	dev_t device;
	ino_t inode;
	struct ps_reader reader; /* of its own: it must not move */
	struct ps_symbols *symbols;
	uint32_t modules; /* and frames that the symbols know of */
	uint32_t frames;
	struct ps_calls_window *window[PS_DETAIL_SECTIONS];
	uint32_t section[PS_DETAIL_SECTIONS];
	int windows;
} chosen;

static struct ps_stack_names names;
static struct ps_calls sum;
static struct ps_calls within;

static void
close_symbols(void)
{
	ps_symbols_dw_close(chosen.symbols);
	chosen.symbols = NULL;
}

void
ps_detail_close(void)
{
	if (!chosen.is_open)
		return;
	for (int i = 0; i < chosen.windows; i++)
		free(chosen.window[i]);
	close_symbols();
	ps_reader_close(&chosen.reader);
	memset(&chosen, 0, sizeof(chosen));
}

static void
open_symbols(void)
{
	PS_ASSERT(chosen.symbols == NULL);
	chosen.symbols = ps_symbols_dw(&chosen.reader);
	chosen.modules = chosen.reader.count[PS_TABLE_MODULES];
	chosen.frames = chosen.reader.count[PS_TABLE_FRAMES];
}

/* Open it, or look at its counts again. */
static int
choose(const struct ps_live_node *node)
{
	struct ps_reader again;
	const char *why;
	bool has_grown;
	int error;

	if (chosen.is_open &&
	    (chosen.inode != node->inode || chosen.device != node->device))
		ps_detail_close();
	if (!chosen.is_open) {
		error = ps_reader_open(&chosen.reader, node->path, &why);
		if (error != 0)
			return error;
		chosen.is_open = true;
		chosen.device = node->device;
		chosen.inode = node->inode;
		open_symbols();
		return 0;
	}
	PS_ASSERT(chosen.reader.is_mapped);
	error = ps_reader_attach(&again, chosen.reader.header,
				 chosen.reader.bytes, &why);
	if (error != 0)
		return error;
	again.is_mapped = true;
	has_grown = chosen.modules != again.count[PS_TABLE_MODULES] ||
		    chosen.frames != again.count[PS_TABLE_FRAMES];
	/* Closed while the reader still says how many modules they have. */
	if (has_grown)
		close_symbols();
	chosen.reader = again;
	if (has_grown)
		open_symbols();
	return 0;
}

/* ---- sections ----------------------------------------------------------- */

/* NULL: no room for more, or no memory. */
static struct ps_calls_window *
window_of(uint32_t section, uint64_t now_ns)
{
	struct ps_calls_window *w;

	PS_ASSERT(chosen.windows <= PS_DETAIL_SECTIONS);
	for (int i = 0; i < chosen.windows; i++)
		if (chosen.section[i] == section)
			return chosen.window[i];
	if (chosen.windows == PS_DETAIL_SECTIONS)
		return NULL;
	w = malloc(sizeof(*w));
	if (w == NULL)
		return NULL;
	ps_calls_window_init(w, window_ns, now_ns);
	PS_ASSERT(w->moments.newest < PS_COUNT(w->past));
	/* What was there when we came is not of the last while. */
	memcpy((void *)&w->past[w->moments.newest], (const void *)&sum,
	       sizeof(sum));
	chosen.section[chosen.windows] = section;
	chosen.window[chosen.windows++] = w;
	return w;
}

static double
figure(enum ps_stat stat, double quantile, double covered_s, double tick_s)
{
	const struct ps_rule rule = {.stat = stat, .quantile = quantile};

	return ps_calls_figure(&within, &rule, covered_s, tick_s);
}

static void
add_section(struct ps_detail *d, const struct ps_view_section *v, double now_s)
{
	struct ps_detail_section *s = &d->section[d->sections];
	double tick_s = ps_reader_tick_seconds(&chosen.reader);
	uint64_t now_ns = (uint64_t)(now_s * 1e9);
	struct ps_calls_window *w;
	double covered_s;

	PS_ASSERT(d->sections < PS_DETAIL_SECTIONS);
	memset((void *)&sum, 0, sizeof(sum));
	ps_recording_calls(&chosen.reader, v->index, &sum);
	w = window_of(v->index, now_ns);
	if (w == NULL)
		return;
	covered_s = ps_calls_window_step(w, now_ns, &sum, &within);
	snprintf(s->name, sizeof(s->name), "%s", v->name);
	s->calls_per_s = figure(PS_STAT_CALLS, 0, covered_s, tick_s);
	s->p50_s = figure(PS_STAT_QUANTILE, 0.5, covered_s, tick_s);
	s->p99_s = figure(PS_STAT_QUANTILE, 0.99, covered_s, tick_s);
	s->max_s = figure(PS_STAT_MAX, 0, covered_s, tick_s);
	s->total_s = v->total_s;
	d->sections++;
}

/* ---- sites and alerts --------------------------------------------------- */

static void
put_symbol(struct ps_text *t, const struct ps_symbol *s)
{
	char name[NAME_BYTES];
	struct ps_text text;

	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, s);
	ps_text_printable(t, name);
}

/* The frame that tells most of a call's stack. */
static void
put_caller(struct ps_text *t, const struct ps_record_site *site)
{
	uint32_t first;

	ps_stack_names(&chosen.reader, chosen.symbols, site, &names);
	first = ps_telling_frame(&names);
	if (first >= names.count)
		return;
	ps_text_str(t, ", by ");
	put_symbol(t, &names.at[first]);
}

static void
add_site(struct ps_detail *d, const struct ps_view_site *v)
{
	struct ps_detail_site *s = &d->site[d->sites++];
	struct ps_text text;
	uint32_t first;

	PS_ASSERT(d->sites <= PS_DETAIL_SITES && v->site != NULL);
	ps_stack_names(&chosen.reader, chosen.symbols, v->site, &names);
	first = ps_telling_frame(&names);
	ps_text_init(&text, s->name, sizeof(s->name), -1);
	if (first < names.count)
		put_symbol(&text, &names.at[first]);
	else
		ps_text_str(&text, "(no stack)");
	if (first + 1 < names.count) {
		ps_text_str(&text, " < ");
		put_symbol(&text, &names.at[first + 1]);
	}
	s->live_bytes = v->live_bytes;
	s->live_blocks = v->live_allocations;
}

static void
add_alerts(struct ps_detail *d)
{
	uint32_t i = chosen.reader.count[PS_TABLE_ALERTS];
	struct ps_view_alert a;
	struct ps_text text;
	char human[16];

	for (; i > 0 && d->alerts < PS_DETAIL_ALERTS; i--) {
		if (!ps_view_alert(&chosen.reader, i - 1, &a))
			continue;
		ps_text_init(&text, d->alert[d->alerts++], sizeof(d->alert[0]),
			     -1);
		ps_text_printf(&text, "%8s  ", ps_human_time(human, a.at_s));
		ps_alert_put_line(&text, &(struct ps_alert_words){
					     .rule = a.rule,
					     .section = a.section,
					     .severity = a.row.severity,
					     .unit = a.row.unit,
					     .value = a.row.value,
					     .threshold = a.row.threshold,
					 });
		if (a.section != NULL && a.site != NULL)
			put_caller(&text, a.site);
	}
}

int
ps_detail_update(struct ps_detail *d, const struct ps_live_node *node,
		 double now_s)
{
	const struct ps_view_site *top[PS_DETAIL_SITES];
	struct ps_scratch scratch;
	struct ps_view view;
	int error = choose(node);
	uint32_t sites;

	PS_ASSERT(now_s >= 0);
	memset(d, 0, sizeof(*d));
	if (error != 0)
		return error;
	PS_ASSERT(chosen.is_open && chosen.reader.header != NULL);
	ps_scratch_init(&scratch, (size_t)1 << 30);
	error = ps_view_build(&chosen.reader, NULL, &scratch, &view);
	if (error == 0 && chosen.symbols != NULL) {
		for (uint32_t i = 0;
		     i < view.section_count && d->sections < PS_DETAIL_SECTIONS;
		     i++)
			add_section(d, &view.sections[i], now_s);
		sites = ps_view_top(&view, PS_BY_LIVE, PS_DETAIL_SITES, top);
		for (uint32_t i = 0; i < sites; i++)
			add_site(d, top[i]);
	}
	ps_scratch_fini(&scratch);
	add_alerts(d);
	return error;
}

int
ps_detail_write(const struct ps_live_node *node, char *name, size_t bytes)
{
	static char buffer[BUFFER_BYTES];
	const struct ps_report_options options = {.exit_code = -1};
	struct ps_source source;
	struct ps_text out;
	int error;
	int fd;

	snprintf(name, bytes, "perfshim-%d-%ld.txt",
		 node->reader.header->process.pid, (long)time(NULL));
	PS_ASSERT(strlen(name) + 1 < bytes);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	ps_text_init(&out, buffer, sizeof(buffer), fd);
	error =
	    ps_source_open(&source, &node->reader, node->path, NULL, &options);
	if (error == 0) {
		error = ps_report_write_view(&source.view, source.symbols,
					     &source.scratch, PS_REPORT_TEXT,
					     &options, &out);
		ps_source_close(&source);
	}
	ps_text_flush(&out);
	close(fd);
	return error != 0 ? error : out.error;
}
