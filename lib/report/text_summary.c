/* SPDX-License-Identifier: MIT */
/*
 * text_summary - the first screen: who, how it ended, the heap and its course
 */
#include <string.h>

#include "report/text_parts.h"

enum {
	PLOT_COLUMNS = 60,
	BAR_COLUMNS = 24,
	CLASS_ROWS = 4,
	NAME_COLUMNS = 28,
	LINE_COLUMNS = 80
};

/* ---- who and how -------------------------------------------------------- */

static void
put_signal(struct ps_text *t, int number)
{
	const char *name = sigabbrev_np(number);

	PS_ASSERT(number > 0);
	if (name != NULL)
		ps_text_printf(t, "killed by SIG%s", name);
	else
		ps_text_printf(t, "killed by signal %d", number);
}

static void
put_end(struct ps_text *t, const struct ps_view *v)
{
	switch (v->end) {
	case PS_END_RUNNING:
		ps_text_str(t, "still running");
		break;
	case PS_END_SIGNALED:
		put_signal(t, v->exit_signal);
		break;
	case PS_END_EXITED:
		if (v->exit_code >= 0)
			ps_text_printf(t, "exit %d", v->exit_code);
		else
			ps_text_str(t, "exited");
		break;
	default:
		PS_ASSERT(v->end == PS_END_UNKNOWN);
		ps_text_str(t, "ended without a word (killed or crashed)");
		break;
	}
}

void
ps_put_who(struct ps_text *t, const struct ps_reader *r)
{
	if (r->merged > 1)
		ps_text_printf(t, "%u processes", r->merged);
	else
		ps_text_printf(t, "pid %d", r->header->process.pid);
}

static void
put_title(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;
	char buffer[LINE_COLUMNS];
	char end_buffer[LINE_COLUMNS];
	struct ps_text who;
	struct ps_text end;
	unsigned used = 10;

	ps_text_init(&who, buffer, sizeof(buffer), -1);
	ps_text_str(&who, "  ");
	ps_put_who(&who, v->reader);
	if (ps_peek(&p->is_forked_child) && v->reader->merged < 2)
		ps_text_printf(&who, " (forked by %d)", p->ppid);
	ps_text_init(&end, end_buffer, sizeof(end_buffer), -1);
	put_end(&end, v);
	PS_ASSERT(who.cut == 0 && end.cut == 0);
	ps_text_style(t, PS_BOLD);
	ps_text_str(t, "perfshim  ");
	used +=
	    ps_put_name(t, ps_reader_string(v->reader, p->name), NAME_COLUMNS);
	ps_text_style(t, PS_PLAIN);
	ps_text_str(t, buffer);
	used += (unsigned)(who.length + end.length);
	ps_text_str(t, used + 2 <= LINE_COLUMNS ? "  " : "\n  ");
	if (v->end == PS_END_SIGNALED || v->end == PS_END_UNKNOWN)
		ps_text_style(t, PS_RED);
	ps_text_str(t, end_buffer);
	ps_text_style(t, PS_PLAIN);
	ps_text_char(t, '\n');
}

static void
put_times(struct ps_text *t, const struct ps_view *v)
{
	char wall[16];
	char user[16];
	char sys[16];
	char rss[16];
	char threads[16];

	ps_text_printf(t, "wall %s  user %s  sys %s  peak RSS %s  threads %s\n",
		       ps_human_time(wall, v->wall_s),
		       ps_human_time(user, v->user_s),
		       ps_human_time(sys, v->system_s),
		       ps_human_bytes(rss, v->max_rss_bytes),
		       ps_human_count(threads, (double)v->threads_started));
}

/* ---- the heap ----------------------------------------------------------- */

static void
put_heap(struct ps_text *t, const struct ps_view *v)
{
	char a[16];
	char b[16];
	char c[16];

	ps_text_printf(t, "  allocations %8s   requested %8s",
		       ps_human_count(a, (double)v->allocations),
		       ps_human_bytes(b, (double)v->requested_bytes));
	ps_text_printf(t, "   peak heap %8s",
		       ps_human_bytes(c, (double)v->peak_bytes));
	if (v->peak_at_s >= 0)
		ps_text_printf(t, " at %s", ps_human_time(a, v->peak_at_s));
	ps_text_printf(t, "\n  frees       %8s   live      %8s",
		       ps_human_count(a, (double)v->frees),
		       ps_human_bytes(b, (double)v->live_bytes));
	ps_text_printf(t, "   in blocks %8s\n",
		       ps_human_count(c, (double)v->live_blocks));
}

/* What is plotted: the heap, or what the process has in memory. */
static uint64_t
level_of(const struct ps_record_tick *tick, bool is_rss)
{
	return ps_peek(is_rss ? &tick->rss_bytes : &tick->live_bytes);
}

/* Highest level in each of `columns` equal parts of the timeline; parts where
 * it is not known have that of the part before. */
static uint64_t
fold_timeline(const struct ps_record_timeline *timeline, unsigned count,
	      bool is_rss, uint64_t *levels, unsigned columns)
{
	uint64_t highest = 0;

	PS_ASSERT(count > 0 && count <= PS_TIMELINE_SLOTS);
	for (unsigned i = 0; i < columns; i++) {
		unsigned from = i * count / columns;
		unsigned to = PS_MAX((i + 1) * count / columns, from + 1);

		levels[i] = 0;
		for (unsigned k = from; k < to && k < count; k++)
			levels[i] = PS_MAX(
			    levels[i], level_of(&timeline->tick[k], is_rss));
		if (is_rss && levels[i] == 0 && i > 0)
			levels[i] = levels[i - 1];
		highest = PS_MAX(highest, levels[i]);
	}
	return highest;
}

static void
put_levels(struct ps_text *t, const uint64_t *levels, uint64_t highest)
{
	static const char *const block[] = {" ", "▁", "▂", "▃", "▄",
					    "▅", "▆", "▇", "█"};
	_Static_assert(PS_COUNT(block) == 9, "eighths");
	char label[16];

	PS_ASSERT(highest > 0);
	ps_text_printf(t, "\n  %10s ", ps_human_bytes(label, (double)highest));
	ps_text_style(t, PS_CYAN);
	for (unsigned i = 0; i < PLOT_COLUMNS; i++) {
		double part = (double)levels[i] / (double)highest;
		unsigned level = (unsigned)(part * 8 + 0.5);

		ps_text_str(t, block[levels[i] > 0 && level == 0 ? 1
				     : level > 8		 ? 8
								 : level]);
	}
	ps_text_style(t, PS_PLAIN);
}

/* The heap, and above it what the process had in memory, where that was seen
 * (twice a second): what is between them was mapped past malloc. */
static void
put_plot(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_timeline *timeline =
	    &v->reader->header->timeline;
	unsigned count = ps_reader_slots(v->reader);
	uint64_t levels[PLOT_COLUMNS];
	uint64_t highest;
	char end[16];

	if (count < 2)
		return;
	highest = fold_timeline(timeline, count, true, levels, PLOT_COLUMNS);
	if (highest > 0) {
		put_levels(t, levels, highest);
		ps_text_printf(t, "\n  %10s", "RSS");
	}
	highest = fold_timeline(timeline, count, false, levels, PLOT_COLUMNS);
	put_levels(t, levels, PS_MAX(highest, 1u));
	ps_human_time(end, (double)ps_peek(&timeline->step_ticks) * count *
			       ps_reader_tick_seconds(v->reader));
	ps_text_printf(t, "\n  %10s 0 s%*s\n", "heap", PLOT_COLUMNS - 3, end);
}

/* A forked child begins with its parent's blocks: those are what is freed or
 * live here and was not allocated here. */
static void
put_inherited(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;
	uint64_t known = 0;
	char blocks[16];

	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++)
		known += v->class_allocations[c];
	if (known <= v->allocations ||
	    (!ps_peek(&p->is_forked_child) && v->reader->merged < 2))
		return;
	ps_text_printf(t,
		       "  inherited by fork: %s block%s of the parent's, "
		       "among those freed or live\n",
		       ps_human_count(blocks, (double)(known - v->allocations)),
		       ps_plural((double)(known - v->allocations)));
}

/* What the process had in memory beyond its heap: code, stacks, mmap, us. */
static void
put_outside(struct ps_text *t, const struct ps_view *v)
{
	double outside = v->max_rss_bytes - (double)v->peak_bytes;
	bool is_of_one = v->reader->merged < 2; /* else, sums and a greatest */
	char bytes[16];

	if (outside > 0 && is_of_one)
		ps_text_printf(t,
			       "  outside malloc: %s of the peak RSS (code, "
			       "stacks, mmap, the shim itself)\n",
			       ps_human_bytes(bytes, outside));
}

/* ---- size classes ------------------------------------------------------- */

/* The class with the most allocations below a bound; -1: none. */
static int
next_class(const struct ps_view *v, const bool *is_done)
{
	int best = -1;

	for (int c = 0; c < PS_CLASS_SLOTS; c++)
		if (!is_done[c] && v->class_allocations[c] > 0 &&
		    (best < 0 ||
		     v->class_allocations[c] > v->class_allocations[best]))
			best = c;
	return best;
}

static void
put_class(struct ps_text *t, const struct ps_view *v, int c, double all)
{
	const uint32_t *sizes = v->reader->header->heap.class_bytes;
	double part = (double)v->class_allocations[c] / all;
	char size[16];

	PS_ASSERT(c >= 0 && c < PS_CLASS_SLOTS && part <= 1);
	if (c == PS_CLASS_LARGE)
		ps_text_printf(t, "  %10s ", "> 32 KiB");
	else
		ps_text_printf(t, "  %10s ", ps_human_bytes(size, sizes[c]));
	for (int i = 0; i < (int)(part * BAR_COLUMNS + 0.5); i++)
		ps_text_str(t, "█");
	ps_text_printf(t, " %d%%\n", (int)(100 * part + 0.5));
}

static void
put_classes(struct ps_text *t, const struct ps_view *v)
{
	bool is_done[PS_CLASS_SLOTS] = {false};
	double all = 0;

	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++)
		all += (double)v->class_allocations[c];
	if (all == 0)
		return;
	ps_text_str(t, "  blocks of\n");
	for (unsigned row = 0; row < CLASS_ROWS; row++) {
		int c = next_class(v, is_done);

		if (c < 0)
			break;
		is_done[c] = true;
		put_class(t, v, c, all);
	}
}

void
ps_text_summary(struct ps_text_report *r)
{
	ps_text_char(r->out, '\n');
	put_title(r->out, r->view);
	put_times(r->out, r->view);
	ps_text_verdict(r);
	ps_put_heading(r->out, "HEAP", NULL);
	put_heap(r->out, r->view);
	put_inherited(r->out, r->view);
	put_outside(r->out, r->view);
	put_plot(r->out, r->view);
	put_classes(r->out, r->view);
}
