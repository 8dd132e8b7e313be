/* SPDX-License-Identifier: MIT */
/*
 * text_quote - foreign bytes made safe for JSON and for a terminal
 *
 * Names of files, sections and symbols are whatever bytes the program chose.
 * Both writers walk them one UTF-8 sequence at a time: JSON gets U+FFFD for
 * each byte that starts no valid sequence and \u00NN for every control
 * character, a terminal gets \xNN for both.  The C1 controls (U+0080 to U+009F)
 * are among them, since some terminals obey them, and JSON is read there, too.
 */
#include <string.h>

#include "base/text.h"

enum { FILE_NAME_BYTES = 64 };

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Bytes of the valid UTF-8 sequence at s, 0 when there is none.  Overlong
 * forms, surrogates and values over U+10FFFF are ruled out by the range of the
 * second byte (Unicode, table 3-7).
 */
static size_t
sequence_length(const unsigned char *s)
{
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	/* Each test fails on the final zero: nothing beyond it is read. */
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!is_continuation(s[i]))
			return 0;
	return length;
}

static bool
is_control(const unsigned char *s, size_t length)
{
	if (length == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	return length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

static void
put_json_ascii(struct ps_text *t, char c)
{
	static const char from[] = "\"\\\n\r\t\b\f";
	static const char to[] = "\"\\nrtbf";
	const char *at = memchr(from, c, sizeof(from) - 1);

	_Static_assert(sizeof(from) == sizeof(to), "a letter each");
	if (at != NULL) {
		ps_text_char(t, '\\');
		ps_text_char(t, to[at - from]);
	} else if (is_control((const unsigned char *)&c, 1)) {
		ps_text_printf(t, "\\u%04x", (unsigned)c);
	} else {
		ps_text_char(t, c);
	}
}

void
ps_text_json_string(struct ps_text *t, const char *s)
{
	ps_text_char(t, '"');
	while (*s != 0) {
		size_t length = sequence_length((const unsigned char *)s);

		PS_ASSERT(length <= 4);
		if (length == 2 && is_control((const unsigned char *)s, 2))
			ps_text_printf(t, "\\u00%02x", (unsigned char)s[1]);
		else if (length == 1)
			put_json_ascii(t, *s);
		else if (length == 0)
			ps_text_str(t, "\xef\xbf\xbd");
		else
			ps_text_put(t, s, length);
		s += PS_MAX(length, 1u);
	}
	ps_text_char(t, '"');
}

void
ps_text_printable(struct ps_text *t, const char *s)
{
	const unsigned char *at = (const unsigned char *)s;

	while (*at != 0) {
		size_t length = sequence_length(at);

		if (length != 0 && !is_control(at, length)) {
			ps_text_put(t, (const char *)at, length);
			at += length;
			continue;
		}
		length = PS_MAX(length, 1u);
		for (size_t i = 0; i < length; i++)
			ps_text_printf(t, "\\x%02x", at[i]);
		at += length;
	}
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '+' ||
	       c == '-';
}

void
ps_text_file_name(struct ps_text *t, const char *name)
{
	/* With a dot in front, nobody would find the file. */
	for (unsigned i = 0; i < FILE_NAME_BYTES && name[i] != 0; i++)
		ps_text_char(t, is_plain(name[i]) && (i > 0 || name[i] != '.')
				    ? name[i]
				    : '_');
}
