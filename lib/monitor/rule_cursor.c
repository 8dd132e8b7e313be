/* SPDX-License-Identifier: MIT */
/*
 * rule_cursor - reads words, numbers and units of a rule
 *
 * The first thing that cannot be read sets the error: its column and what is
 * allowed there.  After that nothing is taken any more, and numbers are 0.
 *
 * Numbers are decimal with at most one point; they are read by hand because
 * strtod follows the program's locale.
 */
#include <string.h>

#include "monitor/rule_cursor.h"

/* ---- the cursor --------------------------------------------------------- */

void
ps_cursor_fail(struct ps_cursor *c, const char *allowed)
{
	PS_ASSERT(c->at >= c->text);
	if (c->has_failed)
		return;
	c->has_failed = true;
	c->error->column = (uint32_t)(c->at - c->text) + 1;
	c->error->allowed = allowed;
}

void
ps_cursor_skip_blanks(struct ps_cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n')
		c->at++;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The token, if it stands here; a word only as a whole word. */
bool
ps_cursor_take(struct ps_cursor *c, const char *token)
{
	size_t length = strlen(token);

	PS_ASSERT(length > 0);
	ps_cursor_skip_blanks(c);
	if (c->has_failed || strncmp(c->at, token, length) != 0)
		return false;
	if (is_letter(token[length - 1]) && is_letter(c->at[length]))
		return false;
	c->at += length;
	return true;
}

void
ps_cursor_expect(struct ps_cursor *c, const char *token, const char *allowed)
{
	if (!ps_cursor_take(c, token))
		ps_cursor_fail(c, allowed);
}

/* Index of the word that stands here, or -1. */
int
ps_cursor_take_one_of(struct ps_cursor *c, const char *const *words,
		      unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (ps_cursor_take(c, words[i]))
			return (int)i;
	return -1;
}

double
ps_cursor_number(struct ps_cursor *c)
{
	double value = 0;
	double place = 1;
	unsigned digits = 0;
	bool is_behind_point = false;

	ps_cursor_skip_blanks(c);
	for (; !c->has_failed; c->at++) {
		if (*c->at == '.' && !is_behind_point) {
			is_behind_point = true;
			continue;
		}
		if (*c->at < '0' || *c->at > '9')
			break;
		digits++;
		place = is_behind_point ? place / 10 : place;
		value = is_behind_point ? value + (*c->at - '0') * place
					: value * 10 + (*c->at - '0');
	}
	if (digits == 0 || !(value < 1e18))
		ps_cursor_fail(c, "a number such as 5 or 2.5");
	return value;
}

/* ---- values ------------------------------------------------------------- */

struct unit {
	const char *word;
	double factor;
};

static const struct unit time_units[] = {
    {"ns", 1e-9}, {"us", 1e-6},	 {"ms", 1e-3},	 {"s", 1},
    {"m", 60},	  {"h", 3600.0}, {"d", 86400.0}, {NULL, 0}};
static const struct unit byte_units[] = {
    {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40},
    {"B", 1},	     {"K", 0x1p10},   {"M", 0x1p20},   {"G", 0x1p30},
    {"T", 0x1p40},   {NULL, 0}};

/* Factor of the unit that stands here; 0 when none does. */
static double
take_unit(struct ps_cursor *c, const struct unit *units)
{
	for (; units->word != NULL; units++)
		if (ps_cursor_take(c, units->word))
			return units->factor;
	return 0;
}

double
ps_cursor_time(struct ps_cursor *c)
{
	static const char allowed[] = "a time with its unit: ns us ms s m h d";
	double value = ps_cursor_number(c);
	double factor = take_unit(c, time_units);

	if (factor == 0)
		ps_cursor_fail(c, allowed);
	return value * factor;
}

double
ps_cursor_bytes(struct ps_cursor *c, bool is_rate)
{
	double value = ps_cursor_number(c);
	double factor = take_unit(c, byte_units);

	if (factor == 0)
		ps_cursor_fail(
		    c, is_rate ? "a unit such as MiB/s"
			       : "a unit: B K M G T KiB MiB GiB TiB, or % of "
				 "limit");
	if (is_rate)
		ps_cursor_expect(c, "/s",
				 "/s: growth is a rate, such as 10MiB/s");
	return value * factor;
}

double
ps_cursor_percent(struct ps_cursor *c, const char *allowed)
{
	double value = ps_cursor_number(c);

	ps_cursor_expect(c, "%", allowed);
	if (value > 100)
		ps_cursor_fail(c, "100% at most");
	PS_ASSERT(c->has_failed || (value >= 0 && value <= 100));
	return value / 100;
}

/* A number that a percent sign follows. */
bool
ps_cursor_is_percent(const struct ps_cursor *c)
{
	const char *at = c->at;

	while (*at == ' ' || *at == '\t')
		at++;
	while ((*at >= '0' && *at <= '9') || *at == '.')
		at++;
	while (*at == ' ')
		at++;
	return *at == '%';
}
