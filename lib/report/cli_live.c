/* SPDX-License-Identifier: MIT */
/*
 * cli_live - the recordings of a directory while processes come and go
 *
 * A recording stays mapped from one look to the next; it is known again by
 * device and inode, so a file that was replaced under the same name is another
 * one.  A directory that is deleted and made again is found again; a file that
 * is still being set up, or is none of ours, is looked at again next time.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/cli_live.h"

#define SUFFIX ".perfshim"

void
ps_live_init(struct ps_live *l, const char *path)
{
	PS_ASSERT(path != NULL);
	memset(l, 0, sizeof(*l));
	l->path = path;
}

static const struct ps_record_process *
process_of(const struct ps_live_node *n)
{
	return &n->reader.header->process;
}

static void
close_node(struct ps_live_node *n)
{
	ps_reader_close(&n->reader);
	free(n->path);
}

void
ps_live_close(struct ps_live *l)
{
	for (int i = 0; i < l->count; i++)
		close_node(&l->node[i]);
	l->count = 0;
}

/* ---- finding ------------------------------------------------------------ */

static struct ps_live_node *
known(struct ps_live *l, const struct stat *st)
{
	for (int i = 0; i < l->count; i++)
		if (l->node[i].device == st->st_dev &&
		    l->node[i].inode == st->st_ino)
			return &l->node[i];
	return NULL;
}

/* Newest first; what is beyond the end goes. */
static void
insert(struct ps_live *l, const struct ps_live_node *n)
{
	uint64_t start = process_of(n)->start_real_ns;
	int at = l->count;

	while (at > 0 && process_of(&l->node[at - 1])->start_real_ns < start)
		at--;
	if (l->count == PS_LIVE_MAX) {
		l->left_out++;
		if (at == PS_LIVE_MAX) {
			struct ps_live_node oldest = *n;

			close_node(&oldest);
			return;
		}
		close_node(&l->node[--l->count]);
	}
	PS_ASSERT(at <= l->count && l->count < PS_LIVE_MAX);
	memmove(&l->node[at + 1], &l->node[at],
		(size_t)(l->count - at) * sizeof(*l->node));
	l->node[at] = *n;
	l->count++;
}

static void
look_at(struct ps_live *l, const char *path)
{
	struct ps_live_node fresh = {.was_seen = true};
	struct ps_live_node *n;
	const char *why;
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	n = known(l, &st);
	if (n != NULL) {
		n->was_seen = true;
		return;
	}
	if (ps_reader_open(&fresh.reader, path, &why) != 0)
		return;
	fresh.device = st.st_dev;
	fresh.inode = st.st_ino;
	fresh.path = strdup(path);
	if (fresh.path == NULL)
		ps_reader_close(&fresh.reader);
	else
		insert(l, &fresh);
}

static bool
is_recording(const char *name)
{
	size_t length = strlen(name);
	size_t suffix = sizeof(SUFFIX) - 1;

	return length > suffix && strcmp(name + length - suffix, SUFFIX) == 0;
}

static int
look_into(struct ps_live *l)
{
	DIR *directory = opendir(l->path);
	struct dirent *entry;
	char *path;

	if (directory == NULL && errno == ENOTDIR) {
		look_at(l, l->path);
		return 0;
	}
	if (directory == NULL)
		return -errno;
	while ((entry = readdir(directory)) != NULL) {
		if (!is_recording(entry->d_name) ||
		    asprintf(&path, "%s/%s", l->path, entry->d_name) < 0)
			continue;
		look_at(l, path);
		free(path);
	}
	closedir(directory);
	return 0;
}

/* ---- what became of them ------------------------------------------------ */

/* Rows may have been added; a header that went bad closes it. */
static bool
refresh_node(struct ps_live_node *n)
{
	struct ps_reader again;
	const char *why;

	PS_ASSERT(n->reader.is_mapped);
	if (ps_reader_attach(&again, n->reader.header, n->reader.bytes, &why) !=
	    0)
		return false;
	again.is_mapped = true;
	n->reader = again;
	n->is_gone = ps_peek(&process_of(n)->state) == PS_STATE_EXITED ||
		     (kill(process_of(n)->pid, 0) != 0 && errno == ESRCH);
	return true;
}

static bool
is_same_process(const struct ps_live_node *a, const struct ps_live_node *b)
{
	return process_of(a)->pid == process_of(b)->pid &&
	       strcmp(ps_reader_string(&a->reader, process_of(a)->name),
		      ps_reader_string(&b->reader, process_of(b)->name)) == 0;
}

static void
drop_unseen(struct ps_live *l)
{
	int kept = 0;

	for (int i = 0; i < l->count; i++) {
		if (l->node[i].was_seen && refresh_node(&l->node[i]))
			l->node[kept++] = l->node[i];
		else
			close_node(&l->node[i]);
	}
	l->count = kept;
}

static void
mark_superseded(struct ps_live *l)
{
	for (int i = 0; i < l->count; i++) {
		struct ps_live_node *n = &l->node[i];

		n->is_superseded = false;
		for (int j = 0; j < i; j++) {
			PS_DEBUG_ASSERT(n->inode != l->node[j].inode ||
					n->device != l->node[j].device);
			n->is_superseded |= is_same_process(n, &l->node[j]);
			/* Who runs has become that one. */
			n->is_gone |=
			    process_of(n)->pid == process_of(&l->node[j])->pid;
		}
	}
}

int
ps_live_refresh(struct ps_live *l)
{
	int error;

	l->left_out = 0;
	for (int i = 0; i < l->count; i++)
		l->node[i].was_seen = false;
	error = look_into(l);
	l->is_readable = error == 0;
	PS_ASSERT(l->left_out == 0 || l->count == PS_LIVE_MAX);
	drop_unseen(l);
	mark_superseded(l);
	return error;
}

const struct ps_live_node *
ps_live_find(const struct ps_live *l, int pid)
{
	PS_ASSERT(pid > 0);
	for (int i = 0; i < l->count; i++)
		if (process_of(&l->node[i])->pid == pid)
			return &l->node[i];
	return NULL;
}
