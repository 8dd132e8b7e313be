/* SPDX-License-Identifier: MIT */
/*
 * cli_tree_table - a tree of processes as a table, and as JSON
 *
 * A view is built for each process and given back at once: a tree may have
 * thousands.
 */
#include <string.h>

#include "report/cli_tree_table.h"
#include "report/text_parts.h"
#include "report/view.h"

enum { NAME_COLUMNS = 22 };

static const struct ps_record_process *
process_of(const struct ps_tree_node *node)
{
	return &node->reader.header->process;
}

/* ---- the table ---------------------------------------------------------- */

static void
put_end(struct ps_text *text, const struct ps_view *v, bool was_execed)
{
	const char *name;

	switch (v->end) {
	case PS_END_EXITED:
		if (v->exit_code >= 0)
			ps_text_printf(text, "exit %d", v->exit_code);
		else
			ps_text_str(text, "exited");
		break;
	case PS_END_SIGNALED:
		name = sigabbrev_np(v->exit_signal);
		ps_text_str(text, name == NULL ? "signal" : name);
		break;
	case PS_END_RUNNING:
		ps_text_str(text, "running");
		break;
	default:
		ps_text_str(text, was_execed ? "exec" : "killed?");
		break;
	}
}

static void
put_name(struct ps_text *t, const char *name, int columns)
{
	unsigned used = ps_put_name(t, name, (unsigned)columns);

	ps_text_fill(t, ' ', columns - (int)used);
}

static void
put_figures(const struct ps_tree_node *node, const struct ps_view *v,
	    struct ps_text *t)
{
	char word[24];
	char a[16];
	struct ps_text text;

	ps_text_init(&text, word, sizeof(word), -1);
	put_end(&text, v, node->was_execed);
	ps_text_printf(t, " %-8s", word);
	ps_text_printf(t, " %8s", ps_human_time(a, v->wall_s));
	ps_text_printf(t, " %10s", ps_human_bytes(a, (double)v->peak_bytes));
	ps_text_printf(t, " %8s", ps_human_count(a, (double)v->allocations));
	ps_text_printf(t, " %10s\n", ps_human_bytes(a, v->max_rss_bytes));
}

static void
put_row(const struct ps_tree_node *node, const struct ps_report_options *o,
	struct ps_text *t)
{
	const struct ps_record_process *p = process_of(node);
	struct ps_scratch scratch;
	struct ps_view view;
	int indent = PS_MIN(node->depth, 8);

	ps_text_printf(t, "%7d ", p->pid);
	ps_text_fill(t, ' ', indent);
	put_name(t, ps_reader_string(&node->reader, p->name),
		 NAME_COLUMNS - indent);
	ps_scratch_init(&scratch, (size_t)1 << 30);
	if (ps_view_build(&node->reader, o, &scratch, &view) == 0)
		put_figures(node, &view, t);
	else
		ps_text_str(t, " no memory for its figures\n");
	ps_scratch_fini(&scratch);
}

/* A row is of all small processes of an executable: sums and the greatest. */
static void
put_small_group(const struct ps_small_group *g, struct ps_text *t)
{
	const char *slash = strrchr(g->exe, '/');
	char word[24];
	struct ps_text text;
	char a[16];

	ps_text_init(&text, word, sizeof(word), -1);
	if (g->failed > 0)
		ps_text_printf(&text, "%u failed", g->failed);
	else
		ps_text_str(&text, g->left == g->processes ? "exec" : "exit 0");
	ps_text_printf(t, "%6ux ", g->processes);
	put_name(t, slash == NULL ? g->exe : slash + 1, NAME_COLUMNS);
	ps_text_printf(t, " %-8s", word);
	ps_text_printf(t, " %8s",
		       ps_human_time(a, (double)g->greatest_wall_ns * 1e-9));
	ps_text_printf(t, " %10s",
		       ps_human_bytes(a, (double)g->greatest_peak_bytes));
	ps_text_printf(t, " %8s", ps_human_count(a, (double)g->allocations));
	ps_text_printf(t, " %10s\n",
		       g->greatest_rss_bytes == 0
			   ? "unknown"
			   : ps_human_bytes(a, (double)g->greatest_rss_bytes));
}

static void
put_small(const struct ps_small *s, struct ps_text *t)
{
	if (s->processes > 0)
		ps_text_printf(
		    t,
		    "%u process%s under 1 MiB: allocs added up, other figures "
		    "the greatest of one\n",
		    s->processes, s->processes == 1 ? "" : "es");
	for (uint32_t i = 0; i < s->count; i++)
		put_small_group(&s->groups[i], t);
	if (s->broken > 0)
		ps_text_printf(t, "%u line%s of small processes damaged\n",
			       s->broken, s->broken == 1 ? "" : "s");
}

void
ps_tree_write(const struct ps_tree *tree, int main_node,
	      const struct ps_report_options *main_options, struct ps_text *out)
{
	ps_text_char(out, '\n');
	ps_text_style(out, PS_BOLD);
	ps_text_str(out, "PROCESSES");
	ps_text_style(out, PS_PLAIN);
	ps_text_printf(out, "\n%7s %-*s %-8s %8s %10s %8s %10s\n", "pid",
		       NAME_COLUMNS, "name", "ended", "wall", "peak heap",
		       "allocs", "peak RSS");
	for (int i = 0; i < tree->count; i++) {
		struct ps_report_options options = {.exit_code = -1};

		options.has_ended = ps_tree_is_gone(&tree->nodes[i]);
		put_row(&tree->nodes[i],
			i == main_node ? main_options : &options, out);
	}
	put_small(&tree->small, out);
}

/* ---- JSON --------------------------------------------------------------- */

static void
put_object(const struct ps_tree_node *node, const struct ps_view *v,
	   struct ps_text *t)
{
	const struct ps_record_process *p = process_of(node);
	char word[24];
	struct ps_text text;

	ps_text_init(&text, word, sizeof(word), -1);
	put_end(&text, v, node->was_execed);
	ps_text_printf(t, "{\"pid\":%d,\"parent\":%d,\"end\":", p->pid,
		       node->parent);
	ps_text_json_string(t, word);
	ps_text_str(t, ",\"name\":");
	ps_text_json_string(t, ps_reader_string(&node->reader, p->name));
	ps_text_str(t, ",\"start\":");
	ps_text_fixed(t, (double)p->start_real_ns * 1e-9, 6);
	ps_text_str(t, ",\"wall_s\":");
	ps_text_json_number(t, v->wall_s);
	ps_text_str(t, ",\"peak_bytes\":");
	ps_text_u64(t, v->peak_bytes);
	ps_text_str(t, ",\"allocations\":");
	ps_text_u64(t, v->allocations);
	ps_text_str(t, ",\"max_rss_bytes\":");
	ps_text_json_number(t, v->max_rss_bytes);
	ps_text_char(t, '}');
}

int
ps_tree_json(const struct ps_tree *tree, int main_node,
	     const struct ps_report_options *main_options, struct ps_text *out)
{
	int error = 0;

	ps_text_char(out, '[');
	for (int i = 0; i < tree->count && i < PS_TREE_JSON_MAX; i++) {
		struct ps_report_options options = {.exit_code = -1};
		struct ps_scratch scratch;
		struct ps_view view;

		options.has_ended = ps_tree_is_gone(&tree->nodes[i]);
		ps_scratch_init(&scratch, (size_t)1 << 30);
		error = ps_view_build(&tree->nodes[i].reader,
				      i == main_node ? main_options : &options,
				      &scratch, &view);
		if (i > 0)
			ps_text_char(out, ',');
		if (error == 0)
			put_object(&tree->nodes[i], &view, out);
		ps_scratch_fini(&scratch);
		if (error != 0)
			break;
	}
	ps_text_char(out, ']');
	return error;
}
