/* SPDX-License-Identifier: MIT */
/*
 * section_hgrm - a section's percentiles as HdrHistogram prints them
 *
 * Lines are at the percentiles that HdrHistogram's own iterator takes: five a
 * half of what is left to 100 %.  Values are the middles of buckets, as those
 * of the report; the last line is the maximum, which is exact.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/hist.h"
#include "report/section_hgrm.h"

enum { TICKS_PER_HALF = 5, COUNT_COLUMNS = 10 };

static void
put_right(struct ps_text *t, double value, int decimals, int columns)
{
	char digits[64];
	struct ps_text text;

	ps_text_init(&text, digits, sizeof(digits), -1);
	ps_text_fixed(&text, value, decimals);
	ps_text_printf(t, "%*s", columns, digits);
}

/* Decimals of ps_text_fixed end at nine; the format has twelve. */
static void
put_line(struct ps_text *t, const struct ps_distribution *d, uint64_t ticks,
	 double percentile, uint64_t count)
{
	PS_ASSERT(percentile >= 0 && percentile <= 1);
	put_right(t, (double)ticks * d->tick_ms, 6, 12);
	ps_text_char(t, ' ');
	ps_text_fixed(t, percentile, 9);
	ps_text_printf(t, "000 %*lu", COUNT_COLUMNS, (unsigned long)count);
	if (percentile < 1) {
		ps_text_char(t, ' ');
		put_right(t, 1 / (1 - percentile), 2, 14);
	}
	ps_text_char(t, '\n');
}

/* How many calls took at most that long. */
static uint64_t
count_to(const struct ps_distribution *d, uint64_t ticks)
{
	uint64_t count = 0;
	uint32_t last;

	if (ticks >= d->max)
		return d->count;
	PS_ASSERT(ticks >> PS_HIST_MAX_BITS == 0);
	last = ps_hist_bucket(ticks);
	for (uint32_t b = 0; b <= last; b++)
		count += ps_peek(&d->histogram[b]);
	return count;
}

static uint64_t
value_at(const struct ps_distribution *d, double percentile)
{
	uint64_t ticks = 0;
	int error =
	    ps_hist_quantile(d->histogram, d->over, d->max,
			     percentile > 0 ? percentile : 1e-12, &ticks);

	PS_ASSERT(error == 0);
	return PS_MAX(ticks, d->min);
}

static void
put_distribution(struct ps_text *t, const struct ps_distribution *d)
{
	double left = 1; /* what lies above the percentile */

	PS_ASSERT(d->count > 0);
	ps_text_str(t, "       Value     Percentile TotalCount "
		       "1/(1-Percentile)\n\n");
	while (left * (double)d->count >= 0.5) {
		double step = left / (2 * TICKS_PER_HALF);

		for (unsigned i = 0; i < TICKS_PER_HALF; i++) {
			double percentile = 1 - left + i * step;
			uint64_t ticks = value_at(d, percentile);

			if (ticks < d->max)
				put_line(t, d, ticks, percentile,
					 count_to(d, ticks));
		}
		left /= 2;
	}
	put_line(t, d, d->max, 1, d->count);
}

static void
put_summary(struct ps_text *t, const struct ps_view_section *s,
	    const struct ps_distribution *d)
{
	ps_text_str(t, "#[Mean    = ");
	put_right(t, s->mean_s * 1e3, 6, 12);
	ps_text_str(t, ", StdDeviation   = ");
	put_right(t, s->stddev_s * 1e3, 6, 12);
	ps_text_str(t, "]\n#[Max     = ");
	put_right(t, (double)d->max * d->tick_ms, 6, 12);
	ps_text_printf(t, ", Total count    = %12lu]\n",
		       (unsigned long)d->count);
	ps_text_printf(t, "#[Buckets = %12d, SubBuckets     = %12d]\n",
		       PS_HIST_MAX_BITS - PS_HIST_SUB_BITS + 1,
		       1 << PS_HIST_SUB_BITS);
}

int
ps_section_distribution(const struct ps_reader *r, uint32_t section,
			struct ps_scratch *scratch, struct ps_distribution *d)
{
	PS_ASSERT(section < r->count[PS_TABLE_SECTIONS]);
	*d = (struct ps_distribution){
	    .histogram =
		ps_scratch_alloc(scratch, sizeof(uint32_t) * PS_HIST_BUCKETS),
	    .min = UINT64_MAX,
	    .tick_ms = ps_reader_tick_seconds(r) * 1e3,
	};
	if (d->histogram == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->count[PS_TABLE_SECTION_STATS]; i++) {
		const struct ps_record_section_stats *s =
		    ps_reader_row(r, PS_TABLE_SECTION_STATS, i);

		if (s == NULL || s->section != section ||
		    ps_peek(&s->thread) == UINT32_MAX ||
		    ps_peek(&s->calls) == 0)
			continue;
		ps_hist_merge(d->histogram, s->histogram);
		d->over += ps_peek(&s->over);
		d->max = PS_MAX(d->max, ps_peek(&s->max_ticks));
		d->min = PS_MIN(d->min, ps_peek(&s->min_ticks));
	}
	ps_hist_clamp(d->histogram, d->over, &d->min, &d->max);
	d->count = ps_hist_count(d->histogram, d->over);
	return 0;
}

int
ps_section_hgrm(const struct ps_view *v, const char *section,
		struct ps_scratch *scratch, struct ps_text *out)
{
	const struct ps_view_section *s = NULL;
	struct ps_distribution d;

	for (uint32_t i = 0; i < v->section_count && s == NULL; i++)
		if (strcmp(v->sections[i].name, section) == 0)
			s = &v->sections[i];
	if (s == NULL)
		return -ENOENT;
	if (ps_section_distribution(v->reader, s->index, scratch, &d) != 0)
		return -ENOMEM;
	if (d.count == 0)
		return -ENOENT;
	put_distribution(out, &d);
	put_summary(out, s, &d);
	return 0;
}
