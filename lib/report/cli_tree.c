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

#define SUFFIX ".perfshim"
enum { SMALL_DEPTH_MAX = 64 };

void
ps_tree_init(struct ps_tree *tree)
{
	*tree = (struct ps_tree){0};
	ps_intern_init(&tree->seen, &tree->scratch, true, 0);
}

/* Whether the file was there before; remembers that it was.  One that cannot be
 * looked at is for its reader to complain of. */
static bool
was_seen(struct ps_tree *tree, const char *path)
{
	struct {
		uint64_t device;
		uint64_t inode;
	} id;
	struct stat st;
	uint32_t number;

	if (stat(path, &st) != 0)
		return false;
	id.device = st.st_dev;
	id.inode = st.st_ino;
	return ps_intern(&tree->seen, &id, sizeof(id), &number) == 0;
}

static int
complain(struct ps_tree *tree, const char *path, const char *why, int error)
{
	PS_ASSERT(error < 0);
	ps_complain_of(path, why);
	tree->broken++;
	return error;
}

static int
add_file(struct ps_tree *tree, const char *path)
{
	struct ps_tree_node *nodes;
	struct ps_tree_node *node;
	const char *why = "";
	int error;

	if (was_seen(tree, path))
		return 0;
	nodes = realloc(tree->nodes,
			(size_t)(tree->count + 1) * sizeof(*tree->nodes));
	if (nodes == NULL)
		return complain(tree, path, strerror(ENOMEM), -ENOMEM);
	tree->nodes = nodes;
	node = &nodes[tree->count];
	memset(node, 0, sizeof(*node));
	error = ps_reader_open(&node->reader, path, &why);
	if (error != 0)
		return complain(tree, path, why, error);
	node->path = strdup(path);
	if (node->path == NULL) {
		ps_reader_close(&node->reader);
		return complain(tree, path, strerror(ENOMEM), -ENOMEM);
	}
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
	int error;

	if (ps_brief_path(directory, path) != 0 || was_seen(tree, path))
		return;
	error = ps_small_read(&tree->small, directory, &tree->scratch);
	if (error == 0)
		return;
	(void)complain(
	    tree, path,
	    error == -EINVAL ? "not a regular file" : strerror(-error), error);
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
	return error == 0 ? 0 : complain(tree, path, strerror(-error), error);
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

/*
 * The last node before `child` of one of the two pids; -1: none.  One that
 * started with it is itself: a copy of its recording, no image before it.
 */
static int
node_before(const struct ps_tree *tree, int child, int32_t pid, int32_t other)
{
	uint64_t start = process_of(&tree->nodes[child])->start_real_ns;

	PS_ASSERT(child < tree->count);
	for (int i = child - 1; i >= 0; i--) {
		const struct ps_record_process *p = process_of(&tree->nodes[i]);

		if ((p->pid == pid || p->pid == other) &&
		    p->start_real_ns != start)
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

		node->was_execed = is_followed_by_small(tree, node);
		node->parent = parent_of(tree, i);
		node->depth = 0;
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

static void
close_node(struct ps_tree_node *node)
{
	ps_reader_close(&node->reader);
	free(node->path);
}

void
ps_tree_drop(struct ps_tree *tree, ps_tree_judge *goes)
{
	int kept = 0;

	for (int i = 0; i < tree->count; i++) {
		struct ps_tree_node *node = &tree->nodes[i];

		if (goes(tree, node))
			close_node(node);
		else
			tree->nodes[kept++] = *node;
	}
	PS_ASSERT(kept <= tree->count);
	tree->count = kept;
}

void
ps_tree_close(struct ps_tree *tree)
{
	for (int i = 0; i < tree->count; i++)
		close_node(&tree->nodes[i]);
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
