/* SPDX-License-Identifier: MIT */
/*
 * captured - the report of the example recording, in memory, for tests to read
 */
#include <check.h>
#include <string.h>

#include "record/writer.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

enum { LINE_COLUMNS = 80 };

char ps_captured[PS_CAPTURED_BYTES];

static struct ps_scratch scratch;

void
ps_capture_set_up(void)
{
	ps_example_open();
	ps_scratch_init(&scratch, 0);
}

void
ps_capture_set_up_empty(void)
{
	ps_example_open_empty();
	ps_scratch_init(&scratch, 0);
}

void
ps_capture_tear_down(void)
{
	ps_scratch_fini(&scratch);
}

void
ps_capture(enum ps_report_format format,
	   const struct ps_report_options *options, struct ps_symbols *symbols,
	   bool is_colour)
{
	struct ps_reader reader;
	struct ps_text text;

	ps_example_attach(&reader);
	ps_text_init(&text, ps_captured, sizeof(ps_captured), -1);
	text.is_colour = is_colour;
	ck_assert_int_eq(
	    ps_report_write(&reader, symbols, &scratch, format, options, &text),
	    0);
	ck_assert_uint_eq(text.cut, 0);
	ck_assert_uint_gt(text.length, 0);
}

void
ps_capture_text(void)
{
	ps_capture(PS_REPORT_TEXT, NULL, NULL, false);
}

void
ps_capture_has(const char *words)
{
	ck_assert_msg(strstr(ps_captured, words) != NULL, "no '%s' in:\n%s",
		      words, ps_captured);
}

void
ps_capture_hasnt(const char *words)
{
	ck_assert_msg(strstr(ps_captured, words) == NULL, "'%s' in:\n%s", words,
		      ps_captured);
}

/* Bytes of the character at s; 0 when it is not well-formed. */
static size_t
character_bytes(const unsigned char *s)
{
	size_t length = s[0] < 0x80		? 1
			: (s[0] & 0xe0) == 0xc0 ? 2
			: (s[0] & 0xf0) == 0xe0 ? 3
			: (s[0] & 0xf8) == 0xf0 ? 4
						: 0;

	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* What is wrong with the character at s, `column` of its line; NULL: nothing.
 */
static const char *
fault_of(const unsigned char *s, unsigned column)
{
	if (character_bytes(s) == 0)
		return "bad UTF-8";
	if ((*s < ' ' && *s != '\n') || *s == 0x7f)
		return "a control character";
	if (column >= LINE_COLUMNS && *s != '\n')
		return "a wide line";
	return NULL;
}

/* One assertion a fault, not a character: Check takes a microsecond for each.
 */
void
ps_capture_check_lines(void)
{
	const unsigned char *s = (const unsigned char *)ps_captured;
	const unsigned char *start = s;
	unsigned column = 0;

	while (*s != 0) {
		const char *fault = fault_of(s, column);

		if (fault != NULL)
			ck_abort_msg("%s in: %.200s", fault, start);
		column++;
		s += character_bytes(s);
		if (s[-1] == '\n') {
			start = s;
			column = 0;
		}
	}
	ck_assert_uint_eq(column, 0); /* the last line has its end */
}

void
ps_capture_damaged(enum ps_report_format format, unsigned rounds,
		   void (*check)(void))
{
	size_t bytes;
	char *image = ps_example_compact(&bytes);
	char *good = ps_scratch_alloc(&scratch, bytes);
	unsigned seed = 4712;

	memcpy(good, image, bytes);
	for (unsigned n = 0; n < rounds; n++) {
		struct ps_scratch local;
		struct ps_reader reader;
		struct ps_text text;

		ps_example_damage(image, bytes, &seed);
		ps_scratch_init(&local, 0);
		ps_text_init(&text, ps_captured, sizeof(ps_captured), -1);
		ck_assert_int_eq(ps_reader_attach(&reader, image, bytes, NULL),
				 0);
		ck_assert_int_eq(
		    ps_report_write(&reader, NULL, &local, format, NULL, &text),
		    0);
		ck_assert_uint_eq(text.cut, 0);
		check();
		ps_scratch_fini(&local);
		memcpy(image, good, bytes);
	}
}
