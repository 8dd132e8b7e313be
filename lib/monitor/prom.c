/* SPDX-License-Identifier: MIT */
#include "monitor/prom.h"

static const double nine_digits = 1e9;
enum { LABEL_BYTES = 121, PRINTABLE_BYTES = 4 * LABEL_BYTES };
_Static_assert(LABEL_BYTES > (int)PS_RULE_NAME_MAX,
	       "an operation's name is not cut");

void
ps_prom_head(struct ps_text *t, const char *name, const char *type,
	     const char *help)
{
	ps_text_printf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		       type);
}

/* Control characters and broken UTF-8 become \xNN, which is text like any. */
static void
put_value(struct ps_text *t, const char *value)
{
	char cut[LABEL_BYTES];
	char printable[PRINTABLE_BYTES];
	struct ps_text text;

	ps_text_init(&text, cut, sizeof(cut), -1);
	ps_text_str(&text, value);
	ps_text_init(&text, printable, sizeof(printable), -1);
	ps_text_printable(&text, cut);
	PS_ASSERT(text.cut == 0);
	for (const char *c = printable; *c != '\0'; c++) {
		if (*c == '\\' || *c == '"')
			ps_text_char(t, '\\');
		ps_text_char(t, *c);
	}
}

static void
put_label(struct ps_text *t, const char *name, const char *value, char before)
{
	ps_text_printf(t, "%c%s=\"", before, name);
	put_value(t, value);
	ps_text_char(t, '"');
}

/* NAME{labels,le="..."}; le may be NULL. */
static void
put_series(struct ps_text *t, const char *name, const char *suffix,
	   const struct ps_prom_labels *labels, const char *le)
{
	char before = '{';

	PS_ASSERT(labels->count == 0 || labels->label != NULL);
	ps_text_printf(t, "%s%s", name, suffix);
	for (uint32_t i = 0; i < labels->count; i++) {
		put_label(t, labels->label[i].name, labels->label[i].value,
			  before);
		before = ',';
	}
	if (le != NULL) {
		put_label(t, "le", le, before);
		before = ',';
	}
	ps_text_str(t, before == ',' ? "} " : " ");
}

void
ps_prom_sample(struct ps_text *t, const char *name,
	       const struct ps_prom_labels *labels, double value)
{
	if (value != value) /* NAN */
		return;
	put_series(t, name, "", labels, NULL);
	/* json_number's nine digits would round a date to ten seconds */
	if (value >= nine_digits)
		ps_text_fixed(t, value, 3);
	else
		ps_text_json_number(t, value);
	ps_text_char(t, '\n');
}

void
ps_prom_count(struct ps_text *t, const char *name,
	      const struct ps_prom_labels *labels, uint64_t value)
{
	put_series(t, name, "", labels, NULL);
	ps_text_u64(t, value);
	ps_text_char(t, '\n');
}

/* ---- histograms --------------------------------------------------------- */

static const struct {
	double seconds;
	const char *text;
} bounds[] = {
    {1e-7, "1e-07"}, {2e-7, "2e-07"},  {5e-7, "5e-07"},	 {1e-6, "1e-06"},
    {2e-6, "2e-06"}, {5e-6, "5e-06"},  {1e-5, "1e-05"},	 {2e-5, "2e-05"},
    {5e-5, "5e-05"}, {1e-4, "0.0001"}, {2e-4, "0.0002"}, {5e-4, "0.0005"},
    {1e-3, "0.001"}, {2e-3, "0.002"},  {5e-3, "0.005"},	 {1e-2, "0.01"},
    {2e-2, "0.02"},  {5e-2, "0.05"},   {0.1, "0.1"},	 {0.2, "0.2"},
    {0.5, "0.5"},    {1, "1"},	       {2, "2"},	 {5, "5"},
    {10, "10"},	     {20, "20"},       {50, "50"},	 {100, "100"},
};

void
ps_prom_histogram(struct ps_text *t, const char *name,
		  const struct ps_prom_labels *labels,
		  const struct ps_calls *calls, double tick_s)
{
	uint64_t below = 0;
	uint32_t b = 0;

	if (tick_s != tick_s) /* NAN: the recording does not say */
		return;
	for (unsigned i = 0; i < PS_COUNT(bounds); i++) {
		PS_DEBUG_ASSERT(i == 0 ||
				bounds[i].seconds > bounds[i - 1].seconds);
		while (b < PS_HIST_BUCKETS &&
		       (double)(ps_hist_floor(b) + ps_hist_width(b) - 1) *
			       tick_s <=
			   bounds[i].seconds)
			below += ps_peek(&calls->histogram[b++]);
		put_series(t, name, "_bucket", labels, bounds[i].text);
		ps_text_u64(t, below);
		ps_text_char(t, '\n');
	}
	while (b < PS_HIST_BUCKETS)
		below += ps_peek(&calls->histogram[b++]);
	below += calls->over;
	put_series(t, name, "_bucket", labels, "+Inf");
	ps_text_u64(t, below);
	ps_text_char(t, '\n');
	put_series(t, name, "_sum", labels, NULL);
	ps_text_json_number(t, (double)calls->total_ticks * tick_s);
	ps_text_char(t, '\n');
	put_series(t, name, "_count", labels, NULL);
	ps_text_u64(t, below);
	ps_text_char(t, '\n');
}
