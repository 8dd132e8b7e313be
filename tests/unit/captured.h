/* SPDX-License-Identifier: MIT */
/*
 * captured - the report of the example recording, in memory, for tests to read
 */
#ifndef PS_TEST_CAPTURED_H
#define PS_TEST_CAPTURED_H

#include "report/report.h"

enum { PS_CAPTURED_BYTES = 4 << 20 };

extern char ps_captured[PS_CAPTURED_BYTES]; /* zero-terminated */

/* Fixtures: the example recording, or an empty one, and a scratch. */
void ps_capture_set_up(void);
void ps_capture_set_up_empty(void);
void ps_capture_tear_down(void);

/* Write the report of this process's recording; options, symbols or NULL. */
void ps_capture(enum ps_report_format format,
		const struct ps_report_options *options,
		struct ps_symbols *symbols, bool is_colour);
void ps_capture_text(void); /* with none of all that */
void ps_capture_has(const char *words);
void ps_capture_hasnt(const char *words);

/* Every line is narrow, valid UTF-8, and without control characters. */
void ps_capture_check_lines(void);

/*
 * Report recordings with random damage, and call `check` on each report; a
 * recording that makes the reporter read beyond its end ends the test.
 */
void ps_capture_damaged(enum ps_report_format format, unsigned rounds,
			void (*check)(void));

#endif /* PS_TEST_CAPTURED_H */
