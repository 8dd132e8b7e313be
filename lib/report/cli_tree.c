/* SPDX-License-Identifier: MIT */
/*
 * cli_tree - the recordings of a directory as a tree of processes
 *
 * Parents are found by pid: of several images of one pid (exec), or of a pid
 * that was used again, the last that started before the child.  Where a parent
 * was too small for a recording, its own parent stands for it.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/cli_output.h"
#include "report/cli_tree.h"
#include "report/text_parts.h"
#include "report/view.h"

#define SUFFIX ".perfshim"
enum { NAME_COLUMNS = 22, SMALL_DEPTH_MAX = 64 };

static int
add_file(struct ps_tree *tree, const char *path)
{
	struct ps_tree_node *nodes = realloc(
	    tree->nodes, (size_t)(tree->count + 1) * sizeof(*tree->nodes));
	struct ps_tree_node *node;
	const char *why = "";
	int error;

	if (nodes == NULL)
		return -ENOMEM;
	tree->nodes = nodes;
	node = &nodes[tree->count];
	memset(node, 0, sizeof(*node));
	error = ps_reader_open(&node->reader, path, &why);
	if (error != 0) {
		ps_complain_of(path, why);
		tree->broken++;
		return error;
	}
	node->is_open = true;
	node->path = strdup(path);
	node->parent = -1;
	tree->count++;
	return 0;
}

static bool
is_recording(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > sizeof(SUFFIX) - 1 &&
	       strcmp(entry->d_name + length - (sizeof(SUFFIX) - 1), SUFFIX) ==
		   0;
}

static void
add_small(struct ps_tree *tree, const char *directory)
{
	char path[PS_BRIEF_LINE_MAX];
	int error = ps_small_read(&tree->small, directory, &tree->scratch);

	if (error == 0 || ps_brief_path(directory, path) != 0)
		return;
	ps_complain_of(path, error == -EINVAL ? "not a regular file"
					      : strerror(-error));
	tree->broken++;
}

static int
add_directory(struct ps_tree *tree, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char *name;

	if (directory == NULL)
		return -errno;
	while ((entry = readdir(directory)) != NULL) {
		if (!is_recording(entry) ||
		    asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			continue;
		(void)add_file(tree, name);
		free(name);
	}
	closedir(directory);
	add_small(tree, path);
	return 0;
}

int
ps_tree_add(struct ps_tree *tree, const char *path)
{
	struct stat st;
	int error = 0;

	if (stat(path, &st) != 0)
		error = -errno;
	else if (S_ISDIR(st.st_mode))
		error = add_directory(tree, path);
	else
		return add_file(tree, path);
	if (error != 0) {
		ps_complain_of(path, strerror(-error));
		tree->broken++;
	}
	return error;
}

static const struct ps_record_process *
process_of(const struct ps_tree_node *node)
{
	return &node->reader.header->process;
}

static int
by_start(const void *a, const void *b)
{
	uint64_t x = process_of(a)->start_real_ns;
	uint64_t y = process_of(b)->start_real_ns;

	return x < y ? -1 : x > y;
}

/* The last node before `child` of one of the two pids; -1: none. */
static int
node_before(const struct ps_tree *tree, int child, int32_t pid, int32_t other)
{
	PS_ASSERT(child < tree->count);
	for (int i = child - 1; i >= 0; i--) {
		const struct ps_record_process *p = process_of(&tree->nodes[i]);

		if (p->pid == pid || p->pid == other)
			return i;
	}
	return -1;
}

/* The image before it, or the nearest ancestor that has a recording. */
static int
parent_of(const struct ps_tree *tree, int child)
{
	const struct ps_record_process *p = process_of(&tree->nodes[child]);
	int32_t pid = p->ppid;
	int parent = node_before(tree, child, pid, p->pid);

	for (int up = 0; parent < 0 && pid > 0 && up < SMALL_DEPTH_MAX; up++) {
		pid = ps_small_parent(&tree->small, pid, p->start_real_ns);
		if (pid > 0)
			parent = node_before(tree, child, pid, pid);
	}
	return parent;
}

/* Without an end of its own, and a small process took over its pid. */
static bool
is_followed_by_small(const struct ps_tree *tree,
		     const struct ps_tree_node *node)
{
	const struct ps_record_process *p = process_of(node);

	return ps_peek(&p->state) != PS_STATE_EXITED &&
	       ps_small_follows(&tree->small, p->pid, p->start_real_ns);
}

void
ps_tree_link(struct ps_tree *tree)
{
	if (tree->count == 0)
		return;
	qsort(tree->nodes, (size_t)tree->count, sizeof(*tree->nodes), by_start);
	for (int i = 0; i < tree->count; i++) {
		struct ps_tree_node *node = &tree->nodes[i];

		node->was_execed |= is_followed_by_small(tree, node);
		node->parent = parent_of(tree, i);
		if (node->parent < 0)
			continue;
		node->depth = tree->nodes[node->parent].depth + 1;
		if (process_of(&tree->nodes[node->parent])->pid ==
		    process_of(node)->pid) {
			tree->nodes[node->parent].was_execed = true;
			node->depth--;
		}
	}
}

uint64_t
ps_tree_peak(const struct ps_tree *tree, int node)
{
	const struct ps_record_header *h = tree->nodes[node].reader.header;

	return ps_peek(h->sampling.mode == PS_SAMPLE_ALL
			   ? &h->heap.sampled_peak_bytes
			   : &h->heap.peak_bytes);
}

int
ps_tree_heaviest(const struct ps_tree *tree)
{
	int heaviest = 0;

	for (int i = 1; i < tree->count; i++)
		if (ps_tree_peak(tree, i) > ps_tree_peak(tree, heaviest))
			heaviest = i;
	return heaviest;
}

void
ps_tree_close(struct ps_tree *tree)
{
	for (int i = 0; i < tree->count; i++) {
		ps_reader_close(&tree->nodes[i].reader);
		free(tree->nodes[i].path);
	}
	free(tree->nodes);
	ps_scratch_fini(&tree->scratch);
}

int
ps_tree_find(const struct ps_tree *tree, int pid)
{
	for (int i = tree->count - 1; i >= 0; i--)
		if (process_of(&tree->nodes[i])->pid == pid)
			return i;
	return -1;
}

int
ps_tree_main(const struct ps_tree *tree, const char *who)
{
	char *end;
	long pid;

	if (who == NULL)
		return 0;
	pid = strtol(who, &end, 10);
	if (end != who && *end == '\0' && pid > 0 && pid <= INT32_MAX)
		return ps_tree_find(tree, (int)pid);
	for (int i = 0; i < tree->count; i++) {
		const struct ps_tree_node *node = &tree->nodes[i];

		if (strcmp(who, ps_reader_string(&node->reader,
						 process_of(node)->name)) == 0)
			return i;
	}
	return -1;
}

/* A pid that is used again by somebody else looks alive; a recording of
 * another boot is of a process that is gone. */
bool
ps_tree_is_gone(const struct ps_tree_node *node)
{
	return node->was_execed ||
	       (kill(process_of(node)->pid, 0) != 0 && errno == ESRCH);
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
put_row(const struct ps_tree_node *node, const struct ps_report_options *o,
	struct ps_text *t)
{
	const struct ps_record_process *p = process_of(node);
	struct ps_scratch scratch;
	struct ps_view view;
	char word[24];
	char a[16];
	struct ps_text text;
	int indent = PS_MIN(node->depth, 8);

	ps_scratch_init(&scratch, (size_t)1 << 30);
	if (ps_view_build(&node->reader, o, &scratch, &view) != 0)
		return;
	ps_text_printf(t, "%7d ", p->pid);
	ps_text_fill(t, ' ', indent);
	put_name(t, ps_reader_string(&node->reader, p->name),
		 NAME_COLUMNS - indent);
	ps_text_init(&text, word, sizeof(word), -1);
	put_end(&text, &view, node->was_execed);
	ps_text_printf(t, " %-8s", word);
	ps_text_printf(t, " %8s", ps_human_time(a, view.wall_s));
	ps_text_printf(t, " %10s", ps_human_bytes(a, (double)view.peak_bytes));
	ps_text_printf(t, " %8s", ps_human_count(a, (double)view.allocations));
	ps_text_printf(t, " %10s\n", ps_human_bytes(a, view.max_rss_bytes));
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
