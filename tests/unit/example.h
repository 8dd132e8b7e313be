/* SPDX-License-Identifier: MIT */
/*
 * example - a small recording whose report can be worked out by hand
 *
 * Two seconds long, two ticks a nanosecond.  What is in it is said beside the
 * code that writes it; the tests of the view and of the formatters share it.
 */
#ifndef PS_TEST_EXAMPLE_H
#define PS_TEST_EXAMPLE_H

#include "record/reader.h"

enum {
	PS_EXAMPLE_START_TICKS = 1000,
	PS_EXAMPLE_PEAK_EPOCH = 7,
	PS_EXAMPLE_SITES = 3,
	PS_EXAMPLE_ROWS = 2, /* of threads */
};

/* Make it the recording of this process, which must have none. */
void ps_example_open(void);
/* A recording with nothing in it but a start. */
void ps_example_open_empty(void);
void ps_example_attach(struct ps_reader *out);

/* Rows of the tables, to change them. */
struct ps_record_site *ps_example_site(uint32_t index);
struct ps_record_thread *ps_example_thread(uint32_t index);
struct ps_record_section *ps_example_section(uint32_t index);
struct ps_record_section_stats *ps_example_stats(uint32_t index);

/* One more section with one call of so many ticks. */
void ps_example_add_section(const char *name, uint64_t ticks);

/*
 * A copy with tables of the size that is used, ending where memory that cannot
 * be touched begins: reading beyond it is a fault.
 */
char *ps_example_compact(size_t *bytes);

/* Overwrite a few bytes: half the hits in the header. */
void ps_example_damage(char *image, size_t bytes, unsigned *seed);

/* Of all threads together. */
void ps_example_set_samples(uint64_t samples);

#endif /* PS_TEST_EXAMPLE_H */
