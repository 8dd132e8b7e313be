/* SPDX-License-Identifier: MIT */
/*
 * load_text - what a load test found: table, percentile plot, .hgrm
 *
 * The plot's abscissa is the percentile by its nines (as HdrHistogram's), the
 * ordinate the latency by its logarithm: a pause of a second and a median of a
 * tenth of a millisecond are both to be seen.
 */
#include "bench/load.h"
#include "measure/real.h"

enum { COLUMNS = 60, ROWS = 12, NINES_MOST = 6, LABEL = 10 };

static const double log_10 = 2.30258509299404568402;

static void
put_time(struct ps_text *t, double seconds)
{
	char buffer[16];

	ps_text_printf(t, " %8s", ps_human_time(buffer, seconds));
}

static void
put_latency(struct ps_text *t, const char *name,
	    const struct ps_load_latency *l)
{
	static const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 1};

	ps_text_printf(t, "  %-10s", name);
	put_time(t, ps_load_mean(l));
	put_time(t, ps_load_deviation(l));
	for (size_t i = 0; i < PS_COUNT(quantiles); i++)
		put_time(t, ps_load_quantile(l, quantiles[i]));
	ps_text_char(t, '\n');
}

static void
put_count(struct ps_text *t, const char *name, uint64_t count, uint64_t of)
{
	char buffer[16];

	ps_text_printf(t, "   %s %s", name,
		       ps_human_count(buffer, (double)count));
	if (count > 0 && of > 0) {
		ps_text_str(t, " (");
		ps_text_fixed(t, 100.0 * (double)count / (double)of, 1);
		ps_text_str(t, " %)");
	}
}

static void
put_counts(struct ps_text *t, const struct ps_load_result *r)
{
	char done[16];
	char rate[16];
	char time[16];

	ps_text_printf(
	    t, "  done %s in %s: %s/s", ps_human_count(done, (double)r->done),
	    ps_human_time(time, r->wall_s), ps_human_count(rate, r->per_s));
	if (r->is_open)
		ps_text_printf(t, " of %s/s\n", ps_human_count(rate, r->rate));
	put_count(t, "errors", r->errors, r->done);
	if (r->is_open) {
		put_count(t, "late", r->late, r->due);
		put_count(t, "dropped", r->dropped, r->due);
	}
	ps_text_char(t, '\n');
	if (r->failed_workers > 0)
		ps_text_printf(t, "  %u of %u worker%s could not be set up\n",
			       r->failed_workers, r->workers,
			       ps_plural(r->workers));
	if (r->was_stopped)
		ps_text_str(t, "  stopped early: this is what there was\n");
}

/* ---- the plot ------------------------------------------------------------ */

struct plot {
	double low; /* logarithms of seconds */
	double high;
	int nines; /* on the abscissa */
};

static double
quantile_at(const struct plot *p, int column)
{
	double nines = (double)p->nines * column / (COLUMNS - 1);

	return 1 - ps_exp(-log_10 * nines);
}

/* Row of a latency at a column; the lowest is 0. */
static int
row_of(const struct plot *p, const struct ps_load_latency *l, int column)
{
	double q = quantile_at(p, column);
	double s = ps_load_quantile(l, q > 0 ? q : 1e-9);
	double part = (ps_log(s) - p->low) / (p->high - p->low);
	int row = (int)(part * (ROWS - 1) + 0.5);

	PS_ASSERT(p->high > p->low);
	return PS_MIN(PS_MAX(row, 0), ROWS - 1);
}

static void
put_row(struct ps_text *t, const struct plot *p, const struct ps_load_result *r,
	int row)
{
	double at = p->low + (p->high - p->low) * row / (ROWS - 1);
	bool is_labelled = row % 3 == 0 || row == ROWS - 1;
	char label[16] = "";
	char cells[COLUMNS + 1] = "";
	int used = 0;

	for (int c = 0; c < COLUMNS; c++) {
		bool is_corrected = row_of(p, r->corrected, c) == row;
		bool is_service = row_of(p, r->service, c) == row;

		cells[c] = is_corrected ? '*' : is_service ? 'o' : ' ';
		used = cells[c] != ' ' ? c + 1 : used;
	}
	cells[used] = '\0';
	if (is_labelled)
		ps_human_time(label, ps_exp(at));
	ps_text_printf(t, "%*s |%s\n", LABEL, label, cells);
}

/* "0 %", "90 %", "99 %" ... below the columns where they are. */
static void
put_abscissa(struct ps_text *t, const struct plot *p)
{
	static const char *const names[] = {"0 %",	"90 %",	   "99 %",
					    "99.9 %",	"99.99 %", "99.999 %",
					    "99.9999 %"};
	int used = 0;

	_Static_assert(PS_COUNT(names) == NINES_MOST + 1, "one each, and 0");
	PS_ASSERT(p->nines >= 1 && p->nines <= NINES_MOST);
	ps_text_printf(t, "%*s +", LABEL, "");
	ps_text_fill(t, '-', COLUMNS);
	ps_text_printf(t, "\n%*s", LABEL + 2, "");
	for (int i = 0; i <= p->nines; i++) {
		int at = i * (COLUMNS - 1) / p->nines;
		int length = 0;

		while (names[i][length] != '\0')
			length++;
		/* The last ends at the edge. */
		at = PS_MIN(at, COLUMNS - length);
		if (at < used)
			continue;
		ps_text_fill(t, ' ', at - used);
		ps_text_str(t, names[i]);
		used = at + length;
	}
	ps_text_char(t, '\n');
}

static void
put_plot(struct ps_text *t, const struct ps_load_result *r)
{
	struct plot p = {.nines = 1};
	uint64_t count = ps_peek(&r->corrected->count);
	double low = ps_load_quantile(r->service, 1e-9);
	double high = PS_MAX(ps_load_quantile(r->corrected, 1),
			     ps_load_quantile(r->service, 1));

	for (uint64_t n = 100; n <= count && p.nines < NINES_MOST; n *= 10)
		p.nines++;
	p.low = ps_log(PS_MAX(low, 1e-9));
	p.high = PS_MAX(ps_log(PS_MAX(high, 1e-9)), p.low + 0.1);
	ps_text_str(t, "\nLATENCY BY PERCENTILE");
	if (r->is_open)
		ps_text_str(t, "   * corrected   o service");
	ps_text_char(t, '\n');
	for (int row = ROWS - 1; row >= 0; row--)
		put_row(t, &p, r, row);
	put_abscissa(t, &p);
}

void
ps_load_text(const struct ps_load_result *result, struct ps_text *out)
{
	char duration[16];

	ps_text_style(out, PS_BOLD);
	ps_text_printf(out, "LOAD  %u worker%s, %s, %s\n", result->workers,
		       ps_plural(result->workers),
		       result->is_open ? "open loop" : "closed loop",
		       ps_human_time(duration, result->wall_s));
	ps_text_style(out, PS_PLAIN);
	put_counts(out, result);
	if (ps_peek(&result->service->count) == 0) {
		ps_text_str(out, "  nothing was done\n");
		return;
	}
	ps_text_printf(out, "\n  %-10s %8s %8s %8s %8s %8s %8s %8s\n",
		       "latency", "mean", "sd", "p50", "p90", "p99", "p99.9",
		       "max");
	if (result->is_open)
		put_latency(out, "corrected", result->corrected);
	put_latency(out, "service", result->service);
	if (result->is_open)
		ps_text_str(out, "  corrected: since a step was due; service: "
				 "since it was begun\n");
	else
		ps_text_str(out, "  a closed loop waits while the system "
				 "stands still: pauses hide (see --rate)\n");
	put_plot(out, result);
}

/* ---- .hgrm --------------------------------------------------------------- */

enum { TICKS_PER_HALF = 5, HALVES_MOST = 40 };

/* Numbers with so many decimals, right-aligned in a column. */
static void
put_column(struct ps_text *t, double value, int decimals, int width)
{
	char buffer[40];
	struct ps_text text;

	ps_text_init(&text, buffer, sizeof(buffer), -1);
	ps_text_fixed(&text, value, decimals);
	PS_ASSERT(text.cut == 0);
	ps_text_printf(t, "%*s", width, buffer);
}

static void
put_line(struct ps_text *t, const struct ps_load_latency *l, double q)
{
	double count = (double)ps_peek(&l->count);
	double below = q * count;
	uint64_t total = (uint64_t)below;

	PS_ASSERT(q >= 0 && q <= 1);
	if ((double)total < below)
		total++;
	put_column(t, ps_load_quantile(l, q > 0 ? q : 1e-12) * 1e3, 3, 12);
	put_column(t, q, 9, 16);
	ps_text_printf(t, " %10lu", PS_MAX(total, UINT64_C(1)));
	if (q < 1) {
		put_column(t, 1 / (1 - q), 2, 15);
		ps_text_char(t, '\n');
	} else {
		ps_text_str(t, "            inf\n");
	}
}

static void
put_summary(struct ps_text *t, const struct ps_load_latency *l)
{
	ps_text_str(t, "#[Mean    = ");
	put_column(t, ps_load_mean(l) * 1e3, 3, 12);
	ps_text_str(t, ", StdDeviation   = ");
	put_column(t, ps_load_deviation(l) * 1e3, 3, 12);
	ps_text_str(t, "]\n#[Max     = ");
	put_column(t, ps_load_quantile(l, 1) * 1e3, 3, 12);
	ps_text_printf(t, ", Total count    = %12lu]\n", ps_peek(&l->count));
	ps_text_printf(t, "#[Buckets = %12u, SubBuckets     = %12u]\n",
		       PS_HIST_MAX_BITS - PS_HIST_SUB_BITS + 1,
		       1u << PS_HIST_SUB_BITS);
}

void
ps_load_hgrm(const struct ps_load_latency *l, struct ps_text *out)
{
	double count = (double)ps_peek(&l->count);
	double half = 1;

	ps_text_str(out, "       Value     Percentile TotalCount "
			 "1/(1-Percentile)\n\n");
	/* Five steps to the middle of what is left, until it is one sample. */
	for (int h = 0; h < HALVES_MOST && half * count >= 1; h++) {
		for (int i = 0; i < TICKS_PER_HALF; i++)
			put_line(out, l,
				 1 - half + half / 2 * i / TICKS_PER_HALF);
		half /= 2;
	}
	if (count > 0) {
		put_line(out, l, 1);
		put_summary(out, l);
	}
}
