/* SPDX-License-Identifier: MIT */
/*
 * rule_cursor - reads words, numbers and units of a rule; for rule.c only
 */
#ifndef PS_MONITOR_RULE_CURSOR_H
#define PS_MONITOR_RULE_CURSOR_H

#include "monitor/rule.h"

struct ps_cursor {
	const char *text;
	const char *at;
	struct ps_rule_error *error; /* set once, with has_failed */
	bool has_failed;
};

/* Here stands something else than what is allowed; the first call counts. */
void ps_cursor_fail(struct ps_cursor *c, const char *allowed);

void ps_cursor_skip_blanks(struct ps_cursor *c);
/* The token, if it stands here; a word only as a whole word. */
bool ps_cursor_take(struct ps_cursor *c, const char *token);
void ps_cursor_expect(struct ps_cursor *c, const char *token,
		      const char *allowed);
/* Index of the word that stands here, or -1. */
int ps_cursor_take_one_of(struct ps_cursor *c, const char *const *words,
			  unsigned count);

double ps_cursor_number(struct ps_cursor *c);
double ps_cursor_time(struct ps_cursor *c); /* in seconds */
double ps_cursor_bytes(struct ps_cursor *c, bool is_rate);
double ps_cursor_percent(struct ps_cursor *c, const char *allowed); /* 0..1 */
/* Whether a number with a percent sign stands here. */
bool ps_cursor_is_percent(const struct ps_cursor *c);

#endif /* PS_MONITOR_RULE_CURSOR_H */
