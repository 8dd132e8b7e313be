/* SPDX-License-Identifier: MIT */
/*
 * text_function - a function's name that must fit a line
 *
 * The names of C++ and Rust are long by what tells least: argument lists,
 * the return type that templates have in front, template arguments, namespaces
 * without a name.  They go first, in that order, as a whole ("(...)", "<...>"),
 * and only while the name is too long; what is still too long then is cut in
 * the middle, as every other name is.  Cutting alone would leave two unlike
 * functions with one name, the namespace and the end of the arguments.
 *
 * Brackets that are a part of the name stay: "(anonymous namespace)", those of
 * operators, the type at a Rust name's beginning.  A name whose brackets do not
 * pair is left as it is.
 */
#include <string.h>

#include "report/text_parts.h"

enum { NAME_MAX_BYTES = 1024 };

static const char anonymous[] = "(anonymous namespace)";

static bool
is_in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* The length of "operator<<" and its like at `s` in `name`; 0: none is. */
static size_t
operator_length(const char *name, const char *s)
{
	static const char word[] = "operator";
	size_t length = sizeof(word) - 1;
	size_t symbols;

	PS_ASSERT(s >= name);
	if (strncmp(s, word, length) != 0 || (s > name && is_in_word(s[-1])))
		return 0;
	if (strncmp(s + length, "()", 2) == 0)
		return length + 2;
	symbols = strspn(s + length, "<>=-!");
	return symbols == 0 ? 0 : length + symbols;
}

static bool
is_opening(const char *name, const char *at, char bracket)
{
	return *at == bracket &&
	       strncmp(at, anonymous, sizeof(anonymous) - 1) != 0 &&
	       !(bracket == '<' && at == name);
}

/* Behind the bracket that ends the one at `s`; NULL: none does. */
static const char *
behind_group(const char *name, const char *s)
{
	unsigned depth = 0;

	PS_ASSERT(*s == '(' || *s == '<');
	for (; *s != '\0'; s++) {
		size_t sign = operator_length(name, s);

		if (sign > 0) {
			s += sign - 1;
			continue;
		}
		if (*s == '<' || *s == '(' || *s == '[' || *s == '{')
			depth++;
		else if ((*s == '>' && s[-1] != '-') || *s == ')' ||
			 *s == ']' || *s == '}')
			depth--;
		if (depth == 0)
			return s + 1;
	}
	return NULL;
}

/* Empty all groups of such brackets; a name that does not pair stays whole. */
static void
empty_groups(char *name, char open)
{
	char shorter[NAME_MAX_BYTES];
	struct ps_text text;
	const char *at = name;

	PS_ASSERT(open == '(' || open == '<');
	ps_text_init(&text, shorter, sizeof(shorter), -1);
	while (*at != '\0') {
		size_t sign = operator_length(name, at);
		const char *end;

		if (sign == 0 && is_opening(name, at, open)) {
			end = behind_group(name, at);
			if (end == NULL)
				return;
			if (end - at > 5)
				ps_text_printf(&text, "%c...%c", open, end[-1]);
			else
				ps_text_put(&text, at, (size_t)(end - at));
			at = end;
			continue;
		}
		sign = PS_MAX(sign, (size_t)1);
		ps_text_put(&text, at, sign);
		at += sign;
	}
	PS_DEBUG_ASSERT(text.length <= strlen(name));
	if (text.cut == 0)
		memcpy(name, shorter, strlen(shorter) + 1);
}

/* "int f<...>(...)": without the type in front. */
static void
drop_return_type(char *name)
{
	char *at = name;
	const char *begin = name;

	while (*at != '\0' && !is_opening(name, at, '(')) {
		const char *end = at + 1;

		if (strncmp(at, "operator", 8) == 0 || *at == '[')
			return;
		if (*at == '<' || *at == '(')
			end = behind_group(name, at);
		if (end == NULL)
			return;
		if (*at == ' ')
			begin = at + 1;
		at += end - at;
	}
	PS_ASSERT(begin <= at);
	if (*at == '(')
		memmove(name, begin, strlen(begin) + 1);
}

/* Namespaces without a name say nothing. */
static void
drop_anonymous(char *name)
{
	size_t length = sizeof(anonymous) - 1 + strlen("::");
	char *at;

	while ((at = strstr(name, "(anonymous namespace)::")) != NULL)
		memmove(at, at + length, strlen(at + length) + 1);
}

unsigned
ps_put_function(struct ps_text *t, const char *name, unsigned width)
{
	char shorter[NAME_MAX_BYTES];
	size_t length = strlen(name);

	if (length <= width || length >= sizeof(shorter))
		return ps_put_name(t, name, width);
	memcpy(shorter, name, length + 1);
	empty_groups(shorter, '(');
	if (strlen(shorter) > width)
		drop_return_type(shorter);
	if (strlen(shorter) > width)
		empty_groups(shorter, '<');
	if (strlen(shorter) > width)
		drop_anonymous(shorter);
	return ps_put_name(t, shorter, width);
}
