/* SPDX-License-Identifier: MIT */
/*
 * index - counts the words of the text under a directory, in several threads
 *
 * The example that `make demo` runs and README quotes: an ordinary program
 * with four marked sections.  Nothing of perfshim is linked; without the
 * preload the marks cost a test of a pointer.
 *
 *   index [DIRECTORY [FILES [THREADS]]]
 */
#include <ctype.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/perfshim.h"

enum { MAX_FILES = 20000, MAX_THREADS = 64, MAX_FILE_BYTES = 1 << 20 };

struct word {
	struct word *next;
	size_t hash;
	unsigned long count;
	char text[];
};

struct table {
	struct word **bucket;
	size_t buckets; /* a power of two */
	size_t words;
};

struct worker {
	pthread_t thread;
	int first; /* of the files: first, first + workers, ... */
	int step;
	unsigned long long bytes;
	struct table table;
};

static char *file_name[MAX_FILES];
static int files;
static int files_wanted = 3000;

static int
is_text(const char *name)
{
	static const char *const ending[] = {
	    "README", ".txt", ".md",  "copyright", ".pl", ".pm",
	    ".py",    ".sh",  ".xml", ".html",	   ".h",  ".js",
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		size_t n = strlen(ending[i]);

		if (length >= n && strcmp(name + length - n, ending[i]) == 0)
			return 1;
	}
	return 0;
}

static int
visit(const char *name, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type == FTW_F && st->st_size <= MAX_FILE_BYTES && is_text(name))
		file_name[files++] = strdup(name);
	return files == files_wanted;
}

static void
grow(struct table *t)
{
	size_t buckets = t->buckets ? 2 * t->buckets : 1024;
	struct word **bucket = calloc(buckets, sizeof(struct word *));

	for (size_t i = 0; i < t->buckets; i++) {
		struct word *next;

		for (struct word *w = t->bucket[i]; w; w = next) {
			size_t b = w->hash & (buckets - 1);

			next = w->next;
			w->next = bucket[b];
			bucket[b] = w;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->buckets = buckets;
}

static void
add(struct table *t, const char *text, size_t length, size_t hash,
    unsigned long count)
{
	struct word *w;

	if (t->words >= t->buckets)
		grow(t);
	w = t->bucket[hash & (t->buckets - 1)];
	while (w && (w->hash != hash || strncmp(w->text, text, length) != 0 ||
		     w->text[length] != '\0'))
		w = w->next;
	if (!w) {
		w = malloc(sizeof(*w) + length + 1);
		memcpy(w->text, text, length);
		w->text[length] = '\0';
		w->hash = hash;
		w->count = 0;
		w->next = t->bucket[hash & (t->buckets - 1)];
		t->bucket[hash & (t->buckets - 1)] = w;
		t->words++;
	}
	w->count += count;
}

static char *
read_file(const char *name, size_t *length)
{
	char *text = NULL;

	PERFSHIM_SECTION ("read") {
		FILE *f = fopen(name, "r");

		*length = 0;
		if (!f)
			break;
		text = malloc(MAX_FILE_BYTES);
		*length = fread(text, 1, MAX_FILE_BYTES, f);
		text = realloc(text, *length + 1);
		fclose(f);
	}
	return text;
}

static void
tokenize(struct table *t, const char *text, size_t length)
{
	PERFSHIM_SECTION ("tokenize") {
		size_t start = 0;
		size_t hash = 5381;

		for (size_t i = 0; i <= length; i++) {
			if (i < length && isalpha((unsigned char)text[i])) {
				hash = hash * 33 + (unsigned char)text[i];
				continue;
			}
			if (i - start > 2)
				add(t, text + start, i - start, hash, 1);
			start = i + 1;
			hash = 5381;
		}
	}
}

static void *
work(void *argument)
{
	struct worker *self = argument;

	for (int i = self->first; i < files; i += self->step) {
		size_t length;
		char *text = read_file(file_name[i], &length);

		if (text)
			tokenize(&self->table, text, length);
		self->bytes += length;
		free(text);
	}
	return NULL;
}

/* Moves the words of `from`, which is then empty, into `to`. */
static void
merge(struct table *to, struct table *from)
{
	PERFSHIM_SECTION ("merge") {
		for (size_t i = 0; i < from->buckets; i++) {
			struct word *next;

			for (struct word *w = from->bucket[i]; w; w = next) {
				next = w->next;
				add(to, w->text, strlen(w->text), w->hash,
				    w->count);
				free(w);
			}
		}
		free(from->bucket);
		memset(from, 0, sizeof(*from));
	}
}

static int
by_count(const void *a, const void *b)
{
	const struct word *x = *(const struct word *const *)a;
	const struct word *y = *(const struct word *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->text, y->text);
}

static void
print_top(const struct table *t, unsigned long long bytes)
{
	struct word **all;
	size_t n = 0;

	PERFSHIM_BEGIN("report");
	all = malloc((t->words + 1) * sizeof(struct word *));
	for (size_t i = 0; i < t->buckets; i++)
		for (struct word *w = t->bucket[i]; w; w = w->next)
			all[n++] = w;
	qsort(all, n, sizeof(struct word *), by_count);
	printf("%d files, %llu bytes, %zu words\n", files, bytes, t->words);
	for (size_t i = 0; i < n && i < 10; i++)
		printf("%8lu %s\n", all[i]->count, all[i]->text);
	free(all);
	PERFSHIM_END("report");
}

int
main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : "/usr/share";
	int workers = argc > 3 ? atoi(argv[3]) : 4;
	static struct worker worker[MAX_THREADS];
	struct table whole = {0};
	unsigned long long bytes = 0;

	if (argc > 2)
		files_wanted = atoi(argv[2]);
	if (files_wanted < 1 || files_wanted > MAX_FILES || workers < 1 ||
	    workers > MAX_THREADS) {
		fputs("usage: index [DIRECTORY [FILES [THREADS]]]\n", stderr);
		return 2;
	}
	nftw(root, visit, 16, FTW_PHYS);
	for (int i = 0; i < workers; i++) {
		worker[i].first = i;
		worker[i].step = workers;
		pthread_create(&worker[i].thread, NULL, work, &worker[i]);
	}
	for (int i = 0; i < workers; i++) {
		pthread_join(worker[i].thread, NULL);
		merge(&whole, &worker[i].table);
		bytes += worker[i].bytes;
	}
	print_top(&whole, bytes);
	return 0;
}
