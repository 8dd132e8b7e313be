/* SPDX-License-Identifier: MIT */
/*
 * inputs - everything but recordings that comes from somebody else
 *
 * Each taker goes through one parser with bytes that nobody vouches for, and
 * checks what must be true of what it gave, whatever they were.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/options.h"
#include "measure/calibration.h"
#include "monitor/rule.h"
#include "record/layout.h"
#include "record/writer.h"
#include "report/filter.h"
#include "report/jit_map.h"
#include "report/symbol_elf.h"
#include "tests/fuzz/inputs.h"

enum { ENTRIES_MOST = 64, SCRATCH_LIMIT = 64 << 20 };

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/* A copy with a zero at its end, in memory of just that size. */
static char *
text_of(const void *bytes, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	if (size > 0)
		memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

/* ---- files -------------------------------------------------------------- */

static char directory[200]; /* of our own, in TMPDIR; "" before there is one */
static char file[220];
static char cache[220];

static void
remove_files(void)
{
	(void)unlink(file);
	(void)unlink(cache);
	(void)rmdir(directory);
}

static void
make_directory(void)
{
	const char *place = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/perfshim-fuzz-XXXXXX",
		 place == NULL ? "/tmp" : place);
	must(mkdtemp(directory) != NULL);
	snprintf(file, sizeof(file), "%s/file", directory);
	snprintf(cache, sizeof(cache), "%s/calibration", directory);
	must(atexit(remove_files) == 0);
}

/* A file with these bytes, the same one each time; for us alone. */
static const char *
file_of(const void *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		make_directory();
		fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		must(fd >= 0);
	}
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, bytes, size, 0) == (ssize_t)size);
	return file;
}

/* ---- rules of alerts ---------------------------------------------------- */

static void
take_rules(const void *bytes, size_t size)
{
	static struct ps_rules rules;
	struct ps_rule_error error = {0};
	char *text = text_of(bytes, size);
	int result = ps_rules_parse(text, &rules, &error);

	must(result == 0 || result == -EINVAL);
	must(rules.count <= PS_RULES_MAX);
	if (result != 0)
		must(rules.count == 0 && error.allowed != NULL &&
		     error.column >= 1 && error.column <= strlen(text) + 1);
	for (uint32_t i = 0; i < rules.count; i++) {
		const struct ps_rule *r = &rules.rule[i];

		must(memchr(r->text, 0, sizeof(r->text)) != NULL);
		must(memchr(r->name, 0, sizeof(r->name)) != NULL);
		must(r->threshold >= 0 && r->clear >= 0);
		must(strcmp(ps_severity_name(r->severity), "unknown") != 0);
	}
	free(text);
}

/* ---- options: the environment ------------------------------------------- */

static unsigned complaints;

static void
complain(const char *line)
{
	must(strchr(line, '\n') == NULL);
	complaints++;
}

/* Entries are told apart by line feeds. */
static void
take_options(const void *bytes, size_t size)
{
	static struct ps_options o;
	char *text = text_of(bytes, size);
	char *entries[ENTRIES_MOST + 1] = {NULL};
	unsigned count = 0;
	char *rest = text;

	while (count < ENTRIES_MOST && rest != NULL)
		entries[count++] = strsep(&rest, "\n");
	complaints = 0;
	ps_options_init(&o);
	ps_options_from_environment(&o, entries, complain);
	must(complaints <= count);
	must(memchr(o.out, 0, sizeof(o.out)) != NULL);
	must(memchr(o.report_path, 0, sizeof(o.report_path)) != NULL);
	must(memchr(o.section_globs, 0, sizeof(o.section_globs)) != NULL);
	must(memchr(o.alert, 0, sizeof(o.alert)) != NULL);
	must(memchr(o.alert_to, 0, sizeof(o.alert_to)) != NULL);
	must(memchr(o.metrics, 0, sizeof(o.metrics)) != NULL);
	must(o.depth >= 1 && o.depth <= PS_STACK_DEPTH_MAX);
	must(o.sample_mode != PS_SAMPLE_POISSON || o.sample_bytes > 0);
	(void)ps_glob_list_match(o.section_globs, "a section");
	free(text);
}

/* ---- patterns of leaks that are forgiven -------------------------------- */

static void
take_suppressions(const void *bytes, size_t size)
{
	struct ps_suppressions s;
	struct ps_scratch scratch;
	char *text = text_of(bytes, size);
	uint32_t line = 0;
	int result;

	ps_scratch_init(&scratch, SCRATCH_LIMIT);
	result = ps_suppressions_parse(&s, text, &scratch, &line);
	must(result == 0 || result == -ENOMEM || (result == -EINVAL && line));
	for (uint32_t i = 0; result == 0 && i < s.count; i++)
		(void)ps_glob_match(s.patterns[i],
				    s.patterns[i] + strlen(s.patterns[i]),
				    "a::function(int)");
	ps_scratch_fini(&scratch);
	free(text);
}

/* ---- the cache of the calibration --------------------------------------- */

/*
 * As a whole file; or its figures only, behind a checksum that is right: those
 * which may be saved come back as they were.
 */
static void
take_calibration(const void *bytes, size_t size)
{
	static const struct ps_calibration_key key = {"boot", "cpu", "1"};
	struct ps_calibration figures;
	struct ps_calibration back;

	(void)ps_calibration_load(file_of(bytes, size), &key, &back);
	if (size < sizeof(figures))
		return;
	memcpy(&figures, bytes, sizeof(figures));
	figures.is_cached = 1;
	if (ps_calibration_save(cache, &key, &figures) != 0)
		return;
	must(ps_calibration_load(cache, &key, &back) == 0);
	must(memcmp(&back, &figures, sizeof(back)) == 0);
}

/* ---- modules ------------------------------------------------------------ */

/* A recording with one module, that file, and frames all over it. */
static void
record_module(const char *path, struct ps_reader *reader)
{
	static bool is_recorded;
	struct ps_record_module *module;
	struct ps_record_frame *frame;
	void *memory;

	if (!is_recorded) {
		must(ps_record != NULL || ps_record_open() == 0);
		ps_record_lock();
		must(ps_record_append(PS_TABLE_MODULES, 1, &memory) == 0);
		module = memory;
		module->start = 0x10000;
		module->end = 0x50000;
		module->bias = 0x10000;
		module->path = ps_record_string(path);
		must(ps_record_append(PS_TABLE_FRAMES, 16, &memory) == 0);
		frame = memory;
		for (uint32_t i = 0; i < 16; i++)
			frame[i].pc = 0x10000 + 0x400 * i + 1;
		ps_record_publish(PS_TABLE_MODULES);
		ps_record_publish(PS_TABLE_FRAMES);
		ps_record_unlock();
		is_recorded = true;
	}
	must(ps_reader_attach(reader, ps_record, ps_record->file_bytes, NULL) ==
	     0);
}

/* Files of modules stay mapped (symbol_elf.h); ours is another one each time.
 */
static void
unmap_files(const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t start[16];
	uintptr_t end[16];
	char line[4400];
	unsigned count = 0;

	must(maps != NULL);
	while (count < PS_COUNT(start) && fgets(line, sizeof(line), maps))
		if (strstr(line, path) != NULL &&
		    sscanf(line, "%lx-%lx", &start[count], &end[count]) == 2)
			count++;
	fclose(maps);
	while (count-- > 0)
		(void)munmap((void *)start[count], end[count] - start[count]);
}

static void
take_elf(const void *bytes, size_t size)
{
	const char *path = file_of(bytes, size);
	struct ps_scratch scratch;
	struct ps_reader reader;
	struct ps_symbols *symbols;
	struct ps_symbol symbol;

	record_module(path, &reader);
	ps_scratch_init(&scratch, SCRATCH_LIMIT);
	symbols = ps_symbols_elf(&scratch, &reader, NULL, NULL);
	must(symbols != NULL);
	for (uint32_t i = 0; i < reader.count[PS_TABLE_FRAMES]; i++)
		if (symbols->resolve(symbols, i, &symbol) &&
		    symbol.function != NULL)
			must(strlen(symbol.function) <= size);
	ps_scratch_fini(&scratch);
	unmap_files(path);
}

/* ---- maps of compiled code ---- */

static void
take_jit(const void *bytes, size_t size)
{
	char *text = text_of(bytes, size);
	struct ps_scratch scratch;
	struct ps_jit_map *map;
	const char *name;

	ps_scratch_init(&scratch, SCRATCH_LIMIT);
	map = ps_jit_map_parse(&scratch, text, size);
	for (uint64_t at = 0; at < 0x400; at++) {
		name = ps_jit_map_name(map, at << 4);
		must(name == NULL || strlen(name) <= size);
	}
	ps_scratch_fini(&scratch);
	free(text);
}

/* ---- all of them -------------------------------------------------------- */

static const struct ps_test_input inputs[] = {
    {"rules", take_rules},
    {"options", take_options},
    {"suppressions", take_suppressions},
    {"calibration", take_calibration},
    {"elf", take_elf},
    {"jit", take_jit},
};

const struct ps_test_input *
ps_test_input_at(unsigned index)
{
	return index < PS_COUNT(inputs) ? &inputs[index] : NULL;
}

const struct ps_test_input *
ps_test_input(const char *name)
{
	for (unsigned i = 0; i < PS_COUNT(inputs); i++)
		if (strcmp(inputs[i].name, name) == 0)
			return &inputs[i];
	return NULL;
}
