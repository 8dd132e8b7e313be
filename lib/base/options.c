/* SPDX-License-Identifier: MIT */
/*
 * options - the table and the value parsers
 *
 * One row a variable: its documentation and the function that reads its value.
 * A value is parsed into locals and stored only when it is good, so a bad one
 * leaves the default.
 *
 * As with getenv, the first of two entries with one name counts, and an empty
 * value means "not set".
 */
#include <errno.h>
#include <string.h>

#include "base/option_complaint.h"

enum {
	/* enum ps_sample_mode of record/layout.h, which base must not include;
	 * test_options.c holds the two together. */
	SAMPLE_OFF = 0,
	SAMPLE_POISSON = 1,
	SAMPLE_ALL = 2,
	SAMPLE_BYTES = 512 * 1024,
	DEPTH_LIMIT = 128, /* PS_STACK_DEPTH_MAX, the same */
	EVENTS_LIMIT = 1 << 18,
};
static const uint64_t sample_limit_bytes = UINT64_C(1) << 40;
static const char prefix[] = "PERFSHIM_";
static const char no_color[] = "NO_COLOR="; /* as https://no-color.org says */

struct choice {
	const char *word;
	uint32_t value;
};

static const struct choice choice_bool[] = {{"on", 1}, {"off", 0}, {NULL, 0}};
static const struct choice choice_format[] = {
    {"text", PS_FORMAT_TEXT}, {"json", PS_FORMAT_JSON}, {NULL, 0}};
static const struct choice choice_calibrate[] = {{"quick", PS_CALIBRATE_QUICK},
						 {"full", PS_CALIBRATE_FULL},
						 {"off", PS_CALIBRATE_OFF},
						 {NULL, 0}};
static const struct choice choice_clock[] = {
    {"auto", PS_CLOCK_AUTO},
    {"tsc", PS_CLOCK_USE_TSC},
    {"monotonic", PS_CLOCK_USE_MONOTONIC},
    {NULL, 0}};

static int
parse_choice(const struct choice *choice, const char *value, uint32_t *out)
{
	for (; choice->word != NULL; choice++) {
		if (strcmp(choice->word, value) == 0) {
			*out = choice->value;
			return 0;
		}
	}
	return -EINVAL;
}

static int
parse_bool(const char *value, bool *out)
{
	uint32_t on;
	int err = parse_choice(choice_bool, value, &on);

	if (err == 0)
		*out = on != 0;
	return err;
}

/* A string that fits `bytes` with its zero: an overlong path is not cut. */
static int
parse_text(const char *value, char *out, size_t bytes)
{
	size_t length = strlen(value);

	if (length == 0 || length >= bytes)
		return -EINVAL;
	memcpy(out, value, length + 1);
	return 0;
}

/* Decimal digits; *end is what follows.  -EINVAL without any or on overflow. */
static int
parse_u64(const char *value, uint64_t *out, const char **end)
{
	uint64_t number = 0;
	const char *at = value;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at - '0'),
					   &number))
			return -EINVAL;
	}
	if (at == value)
		return -EINVAL;
	*out = number;
	*end = at;
	return 0;
}

/* Bits to shift by for "", B, K, KiB, M ...; -1 for anything else. */
static int
suffix_shift(const char *suffix)
{
	static const char unit[] = "KMGT";
	const char *at;

	if (*suffix == 0 || strcmp(suffix, "B") == 0)
		return 0;
	at = strchr(unit, *suffix == 'k' ? 'K' : *suffix);
	if (at == NULL || (suffix[1] != 0 && strcmp(suffix + 1, "iB") != 0))
		return -1;
	return 10 * (int)(at - unit + 1);
}

static int
parse_size(const char *value, uint64_t *out)
{
	const char *end;
	uint64_t number;
	int shift;
	int err = parse_u64(value, &number, &end);

	if (err != 0)
		return err;
	shift = suffix_shift(end);
	if (shift < 0 || number == 0 || number > sample_limit_bytes >> shift)
		return -EINVAL;
	*out = number << shift;
	PS_ASSERT(*out <= sample_limit_bytes);
	return 0;
}

/* 1 to most. */
static int
parse_number(const char *value, uint32_t most, uint32_t *out)
{
	const char *end;
	uint64_t number;
	int err = parse_u64(value, &number, &end);

	if (err != 0 || *end != 0 || number < 1 || number > most)
		return -EINVAL;
	*out = (uint32_t)number;
	return 0;
}

/* ---- one function a variable ---- */

static int
set_out(struct ps_options *o, const char *value)
{
	return parse_text(value, o->out, sizeof(o->out));
}

static int
set_report(struct ps_options *o, const char *value)
{
	static const struct choice words[] = {
	    {"none", PS_REPORT_NONE}, {"stderr", PS_REPORT_STDERR}, {NULL, 0}};
	uint32_t report = PS_REPORT_PATH;

	if (parse_choice(words, value, &report) != 0 &&
	    parse_text(value, o->report_path, sizeof(o->report_path)) != 0)
		return -EINVAL;
	o->report = report;
	o->is_report_set = true;
	return 0;
}

static int
set_format(struct ps_options *o, const char *value)
{
	return parse_choice(choice_format, value, &o->format);
}

static int
set_sample(struct ps_options *o, const char *value)
{
	static const struct choice words[] = {{"auto", SAMPLE_POISSON},
					      {"all", SAMPLE_ALL},
					      {"off", SAMPLE_OFF},
					      {NULL, 0}};

	if (parse_choice(words, value, &o->sample_mode) == 0) {
		o->sample_bytes = SAMPLE_BYTES;
		o->is_sample_paced = true;
		return 0;
	}
	if (parse_size(value, &o->sample_bytes) != 0)
		return -EINVAL;
	o->sample_mode = SAMPLE_POISSON;
	o->is_sample_paced = false;
	return 0;
}

static int
set_depth(struct ps_options *o, const char *value)
{
	return parse_number(value, DEPTH_LIMIT, &o->depth);
}

static int
set_sections(struct ps_options *o, const char *value)
{
	if (parse_bool(value, &o->are_sections_on) == 0) {
		o->section_globs[0] = 0;
		return 0;
	}
	if (parse_text(value, o->section_globs, sizeof(o->section_globs)) != 0)
		return -EINVAL;
	o->are_sections_on = true;
	return 0;
}

static int
set_events(struct ps_options *o, const char *value)
{
	if (strcmp(value, "off") == 0) {
		o->events = 0;
		return 0;
	}
	return parse_number(value, EVENTS_LIMIT, &o->events);
}

static int
set_calibrate(struct ps_options *o, const char *value)
{
	return parse_choice(choice_calibrate, value, &o->calibrate);
}

static int
set_children(struct ps_options *o, const char *value)
{
	static const struct choice words[] = {{"on", PS_CHILDREN_ON},
					      {"all", PS_CHILDREN_ALL},
					      {"off", PS_CHILDREN_OFF},
					      {NULL, 0}};

	return parse_choice(words, value, &o->children);
}

static int
set_clock(struct ps_options *o, const char *value)
{
	return parse_choice(choice_clock, value, &o->clock);
}

/* "none" is none. */
static int
parse_wish(const char *value, char *out, size_t bytes)
{
	if (strcmp(value, "none") != 0)
		return parse_text(value, out, bytes);
	out[0] = '\0';
	return 0;
}

static int
set_alert(struct ps_options *o, const char *value)
{
	return parse_wish(value, o->alert, sizeof(o->alert));
}

static int
set_alert_to(struct ps_options *o, const char *value)
{
	return parse_text(value, o->alert_to, sizeof(o->alert_to));
}

static int
set_metrics(struct ps_options *o, const char *value)
{
	return parse_wish(value, o->metrics, sizeof(o->metrics));
}

static int
set_pool(struct ps_options *o, const char *value)
{
	return parse_bool(value, &o->is_pool_on);
}

/* lib/simd looks for itself, since it serves programs without options too. */
static int
set_simd(struct ps_options *o, const char *value)
{
	static const struct choice words[] = {
	    {"auto", 0},   {"scalar", 0}, {"sse2", 0}, {"avx2", 0},
	    {"avx512", 0}, {"neon", 0},	  {NULL, 0}};
	uint32_t checked;

	return parse_choice(words, value, &checked);
}

static int
set_harden(struct ps_options *o, const char *value)
{
	static const struct choice words[] = {
	    {"off", PS_HARDEN_OFF}, {"full", PS_HARDEN_FULL}, {NULL, 0}};

	return parse_choice(words, value, &o->harden);
}

static const struct {
	struct ps_option_row row;
	int (*set)(struct ps_options *o, const char *value);
} table[] = {
    {{"PERFSHIM_OUT", "a directory", "none",
      "where each process writes its recording; none: kept in memory"},
     set_out},
    {{"PERFSHIM_REPORT", "stderr, none, or a path with %p (pid) and %e (exe)",
      "stderr", "where the report at exit goes"},
     set_report},
    {{"PERFSHIM_FORMAT", "text, json", "text", "format of the report at exit"},
     set_format},
    {{"PERFSHIM_SAMPLE", "a size such as 512K, auto, all, off", "auto",
      "mean bytes between two sampled allocations; auto: 512K, up to 4M in "
      "threads that would have thousands a second"},
     set_sample},
    {{"PERFSHIM_DEPTH", "1 to 128", "64", "frames kept of a stack"}, set_depth},
    {{"PERFSHIM_SECTIONS", "on, off, or name globs such as db_*,parse", "on",
      "which marked sections are timed"},
     set_sections},
    {{"PERFSHIM_EVENTS", "off, or 1 to 262144", "off",
      "the last calls of sections that are kept one by one"},
     set_events},
    {{"PERFSHIM_CALIBRATE", "quick, full, off", "quick",
      "how the machine is measured"},
     set_calibrate},
    {{"PERFSHIM_SIMD", "auto, scalar, sse2, avx2, avx512, neon", "auto",
      "the instruction set to measure with, for tests"},
     set_simd},
    {{"PERFSHIM_CHILDREN", "on, all, off", "on",
      "record the processes that the program starts; all: the smallest, too"},
     set_children},
    {{"PERFSHIM_CLOCK", "auto, tsc, monotonic", "auto",
      "clock of sections and timeline"},
     set_clock},
    {{"PERFSHIM_POOL", "on, off", "on",
      "serve small blocks from the pool; off: from jemalloc"},
     set_pool},
    {{"PERFSHIM_HARDEN", "off, full", "off",
      "full: slow, to find misuse of the heap; samples all"},
     set_harden},
    {{"PERFSHIM_ALERT", "rules such as heap > 80% of limit; rss > 2G", "none",
      "when to raise an alert; the grammar is in perfshim-rules(7)"},
     set_alert},
    {{"PERFSHIM_ALERT_TO", "stderr, none, unix:SOCKET, or a file or pipe",
      "stderr", "who is told of an alert, besides the recording"},
     set_alert_to},
    {{"PERFSHIM_METRICS", "a path with %p (pid) and %e (exe)", "none",
      "Prometheus metrics, written now and then and at exit"},
     set_metrics},
};
_Static_assert(PS_COUNT(table) <= 32, "one bit a row in a uint32_t");

void
ps_options_init(struct ps_options *o)
{
	*o = (struct ps_options){
	    .report = PS_REPORT_STDERR,
	    .format = PS_FORMAT_TEXT,
	    .sample_mode = SAMPLE_POISSON,
	    .sample_bytes = SAMPLE_BYTES,
	    .is_sample_paced = true,
	    .depth = 64,
	    .are_sections_on = true,
	    .calibrate = PS_CALIBRATE_QUICK,
	    .children = PS_CHILDREN_ON,
	    .clock = PS_CLOCK_AUTO,
	    .is_pool_on = true,
	    .alert_to = "stderr",
	};
}

const struct ps_option_row *
ps_options_row(unsigned index)
{
	return index < PS_COUNT(table) ? &table[index].row : NULL;
}

/* Row of the name of this length, PS_COUNT(table) when there is none. */
static size_t
find_row(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < PS_COUNT(table); i++) {
		const char *row_name = table[i].row.name;

		if (strncmp(row_name, name, length) == 0 &&
		    row_name[length] == 0)
			break;
	}
	return i;
}

int
ps_options_set(struct ps_options *o, const char *name, const char *value)
{
	size_t i = find_row(name, strlen(name));

	return i < PS_COUNT(table) ? table[i].set(o, value) : -ENOENT;
}

/* ---- the environment ---- */

static void
take_entry(struct ps_options *o, const char *entry, uint32_t *seen,
	   void (*complain)(const char *line))
{
	const char *equals = strchr(entry, '=');
	size_t length;
	size_t i;

	PS_ASSERT(o->depth > 0 && o->sample_bytes > 0); /* was initialised */
	if (equals == NULL || equals[1] == 0)
		return;
	length = (size_t)(equals - entry);
	i = find_row(entry, length);
	if (i == PS_COUNT(table)) {
		if (complain != NULL)
			ps_option_complain_name(entry, length, complain);
		return;
	}
	if (*seen & 1u << i)
		return;
	*seen |= 1u << i;
	if (table[i].set(o, equals + 1) != 0 && complain != NULL)
		ps_option_complain_value(&table[i].row, equals + 1, complain);
}

void
ps_options_from_environment(struct ps_options *o, char *const *envp,
			    void (*complain)(const char *line))
{
	uint32_t seen = 0;

	for (; envp != NULL && *envp != NULL; envp++) {
		if (strncmp(*envp, prefix, sizeof(prefix) - 1) == 0)
			take_entry(o, *envp, &seen, complain);
		else if (strncmp(*envp, no_color, sizeof(no_color) - 1) == 0)
			o->is_colour_off = (*envp)[sizeof(no_color) - 1] != 0;
	}
}
