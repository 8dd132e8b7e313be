/* SPDX-License-Identifier: MIT */
/*
 * text_machine - what was measured of a machine, in words
 *
 * Figures come from a recording or a cache file, so each is looked at before it
 * is printed: one that is not finite, negative or beyond all machines is left
 * out, as one that was not measured is.
 */
#include "measure/roofline.h"
#include "measure/watch.h"
#include "report/text_machine.h"
#include "report/text_parts.h"

/* Beyond these a figure is damaged, and the line would be too wide for it. */
#define PER_SECOND_MAX 1e13
#define HZ_MAX 1e12
#define PPM_MAX 1e5
#define COST_NS_MAX 1e4
#define FRACTION_MAX 99.0

enum { BAR_COLUMNS = 40, ISA_COLUMNS = 9 };

static bool
is_measured(double value, double limit)
{
	PS_ASSERT(limit > 0);
	return value > 0 && value < limit;
}

static void
put_rate(struct ps_text *t, const char *label, double per_second,
	 const char *unit)
{
	if (!is_measured(per_second, PER_SECOND_MAX))
		return;
	ps_text_printf(t, "  %s ", label);
	ps_text_fixed(t, per_second * 1e-9, per_second < 100e9 ? 1 : 0);
	ps_text_printf(t, " %s", unit);
}

static void
put_ns(struct ps_text *t, const char *what, double ns)
{
	if (!is_measured(ns, COST_NS_MAX))
		return;
	ps_text_printf(t, "  %s ", what);
	ps_text_fixed(t, ns, ns < 100 ? 1 : 0);
	ps_text_str(t, " ns");
}

static void
put_percent(struct ps_text *t, double fraction, int decimals)
{
	bool is_sane = fraction > -FRACTION_MAX && fraction < FRACTION_MAX;

	if (is_sane)
		ps_text_fixed(t, fraction * 100, decimals);
	ps_text_str(t, is_sane ? "%" : "unknown");
}

/* "1.3% slower", "20% faster" */
static void
put_slower(struct ps_text *t, double fraction)
{
	double much = fraction < 0 ? -fraction : fraction;

	put_percent(t, much, much < 0.0995 ? 1 : 0);
	ps_text_str(t, fraction < 0 ? " faster" : " slower");
}

static void
put_isa(struct ps_text *t, const struct ps_calibration *c)
{
	char isa[sizeof(c->isa) + 1] = {0};

	for (unsigned i = 0; i < sizeof(c->isa); i++)
		isa[i] = c->isa[i];
	(void)ps_put_name(t, isa, ISA_COLUMNS);
}

static void
put_core(struct ps_text *t, const char *before, double hz)
{
	if (!is_measured(hz, HZ_MAX))
		return;
	ps_text_printf(t, "%score at ", before);
	ps_text_fixed(t, hz * 1e-9, 2);
	ps_text_str(t, " GHz");
}

/* " (99% of peak)" */
static void
put_share_of_peak(struct ps_text *t, const struct ps_calibration *c)
{
	if (!is_measured(c->matmul_flops, PER_SECOND_MAX) ||
	    !is_measured(c->fma_flops, PER_SECOND_MAX) ||
	    c->matmul_flops > 10 * c->fma_flops)
		return;
	ps_text_str(t, " (");
	put_percent(t, c->matmul_flops / c->fma_flops, 0);
	ps_text_str(t, " of peak)");
}

static int
ppm_decimals(double ppm)
{
	if (ppm >= 10)
		return 0;
	return ppm >= 0.1 ? 1 : 3;
}

static void
put_clock(struct ps_text *t, const char *kind, const struct ps_calibration *c)
{
	ps_text_printf(t, "  clock %s", kind);
	if (is_measured(c->tsc_hz, HZ_MAX)) {
		ps_text_str(t, " ");
		ps_text_fixed(t, c->tsc_hz * 1e-9, 4);
		ps_text_str(t, " GHz");
	}
	if (is_measured(c->tsc_hz, HZ_MAX) && c->tsc_ppm >= 0 &&
	    c->tsc_ppm < PPM_MAX) {
		ps_text_str(t, " ±");
		ps_text_fixed(t, c->tsc_ppm, ppm_decimals(c->tsc_ppm));
		ps_text_str(t, " ppm");
	}
	put_ns(t, "reading", c->clock_ns);
}

/* ---- during the run ----------------------------------------------------- */

/* Alone in its line, after "!". */
static void
put_doubt(struct ps_text *t, const struct ps_calibration *c, uint32_t doubt)
{
	switch (doubt) {
	case PS_DOUBT_SLOWER:
		ps_text_str(t, "vector add in L1 was slower by ");
		put_percent(t, c->drift_fraction, 0);
		ps_text_str(t, " at the end than when measured");
		break;
	case PS_DOUBT_FREQUENCY:
		ps_text_str(t, "the core's clock was ");
		put_slower(t, c->core_drift);
		ps_text_str(t, " at the end than when measured");
		break;
	case PS_DOUBT_STEAL:
		ps_text_str(t, "the hypervisor gave ");
		put_percent(t, c->steal_fraction, 0);
		ps_text_str(t, " of the CPUs' time to others: times are too "
			       "long");
		break;
	case PS_DOUBT_MEMORY:
		ps_text_str(t, "vector add in memory was slower by ");
		put_percent(t, (double)c->memory_drift, 0);
		ps_text_str(t, " at the end: a neighbour may use it");
		break;
	default:
		PS_ASSERT(doubt == PS_DOUBT_WAITING);
		ps_text_str(t, "tasks waited for a CPU for ");
		put_percent(t, c->pressure_fraction, 0);
		ps_text_str(t, " of the run: times include that");
		break;
	}
}

/* "  since: vector add 1.3% slower, core 0.2% faster, steal 0.0%" */
static void
put_watched(struct ps_text *t, const struct ps_calibration *c)
{
	const char *comma = "";

	ps_text_str(t, "  since: ");
	if (c->watched & PS_WATCHED_DRIFT) {
		ps_text_str(t, "vector add ");
		put_slower(t, c->drift_fraction);
		ps_text_str(t, ", core ");
		put_slower(t, c->core_drift);
		comma = ", ";
	}
	if (c->watched & PS_WATCHED_STEAL) {
		ps_text_printf(t, "%ssteal ", comma);
		put_percent(t, c->steal_fraction, 1);
		comma = ", ";
	}
	/* In a damaged recording it may be none, and "unknown" is too long. */
	if ((c->watched & PS_WATCHED_PRESSURE) && c->pressure_fraction >= 0 &&
	    c->pressure_fraction < FRACTION_MAX) {
		ps_text_printf(t, "%swaiting ", comma);
		put_percent(t, c->pressure_fraction, 0);
	}
	ps_text_char(t, '\n');
}

void
ps_put_disturbances(struct ps_text *t, const struct ps_calibration *c)
{
	uint32_t doubts = ps_watch_doubts(c);

	PS_ASSERT(doubts < 2 * PS_DOUBT_MEMORY); /* the last of them */
	if (c->watched != 0)
		put_watched(t, c);
	for (uint32_t doubt = 1; doubt <= doubts; doubt <<= 1) {
		if (!(doubts & doubt))
			continue;
		ps_text_str(t, "  ! ");
		put_doubt(t, c, doubt);
		ps_text_char(t, '\n');
	}
}

const char *
ps_timing_note(const struct ps_calibration *c)
{
	return ps_watch_doubts(c) != 0
		   ? "the machine was disturbed: see MACHINE"
		   : NULL;
}

bool
ps_put_roofline(struct ps_text *t, const struct ps_calibration *c, double bytes,
		double flops, double seconds)
{
	struct ps_roofline r;

	if (ps_roofline(c, bytes, flops, seconds, &r) != 0 ||
	    r.share >= FRACTION_MAX)
		return false;
	PS_ASSERT(r.bound <= PS_BOUND_BY_COMPUTING);
	ps_text_char(t, ' ');
	put_percent(t, r.share, r.share < 0.1 ? 1 : 0);
	ps_text_printf(t, " of the ceiling, bound by %s",
		       r.bound == PS_BOUND_BY_MEMORY ? "memory" : "computing");
	if (is_measured(r.flops_a_byte, 1e6)) {
		ps_text_str(t, " (");
		ps_text_fixed(t, r.flops_a_byte, r.flops_a_byte < 10 ? 2 : 0);
		ps_text_str(t, " FLOPs a byte)");
	}
	return true;
}

/* ---- a section of the report -------------------------------------------- */

static void
put_figures(struct ps_text *t, const struct ps_calibration *c)
{
	ps_text_str(t, "  ");
	put_isa(t, c);
	ps_text_str(t, ", one core: vector add");
	put_rate(t, "L1", c->vector_add_l1, "GB/s");
	put_rate(t, "L2", c->vector_add_l2, "GB/s");
	put_rate(t, "L3", c->vector_add_l3, "GB/s");
	ps_text_char(t, '\n');
	put_rate(t, "memory", c->vector_add_dram, "GB/s");
	put_ns(t, "latency", c->latency_dram_ns);
	put_rate(t, "matrix multiply", c->matmul_flops, "GFLOP/s");
	put_share_of_peak(t, c);
	ps_text_char(t, '\n');
	put_core(t, "  ", c->core_hz);
	ps_text_str(t, c->is_cached ? "  (measured earlier this boot)\n"
				    : "  (measured now)\n");
}

void
ps_text_machine(struct ps_text_report *r)
{
	const struct ps_record_header *h = r->view->reader->header;
	const struct ps_calibration *c = &h->calibration;
	struct ps_text *t = r->out;

	ps_put_heading(t, "MACHINE", NULL);
	ps_text_str(t, "  ");
	(void)ps_put_name(
	    t, ps_reader_string(r->view->reader, h->process.cpu_model), 60);
	ps_text_char(t, '\n');
	if (c->kind == PS_CALIBRATION_NONE)
		ps_text_str(t, "  bandwidth and FLOP/s not measured (the run "
			       "was short, or calibration is off)\n");
	else
		put_figures(t, c);
	put_clock(t, h->clock.kind == PS_CLOCK_TSC ? "tsc" : "monotonic", c);
	put_ns(t, "marker pair", c->marker_ns);
	ps_text_char(t, '\n');
	ps_put_disturbances(t, c);
}

/* ---- alone -------------------------------------------------------------- */

static void
put_bar(struct ps_text *t, const char *label, double per_second, double most)
{
	int columns;

	if (!is_measured(per_second, PER_SECOND_MAX))
		return;
	columns = (int)(per_second / most * BAR_COLUMNS + 0.5);
	PS_ASSERT(columns >= 0 && columns <= BAR_COLUMNS);
	ps_text_printf(t, "    %-7s", label);
	for (int i = 0; i < PS_MAX(columns, 1); i++)
		ps_text_str(t, "█");
	ps_text_char(t, ' ');
	ps_text_fixed(t, per_second * 1e-9, per_second < 100e9 ? 1 : 0);
	ps_text_char(t, '\n');
}

static void
put_levels(struct ps_text *t, const struct ps_calibration *c)
{
	const struct {
		const char *label;
		double per_second;
	} levels[] = {
	    {"L1", c->vector_add_l1},
	    {"L2", c->vector_add_l2},
	    {"L3", c->vector_add_l3},
	    {"memory", c->vector_add_dram},
	};
	double most = 0;

	for (unsigned i = 0; i < PS_COUNT(levels); i++) {
		if (is_measured(levels[i].per_second, PER_SECOND_MAX))
			most = PS_MAX(most, levels[i].per_second);
	}
	ps_text_str(t, "\n  vector add, GB/s (STREAM's add: three arrays "
		       "counted, first run dropped,\n  ");
	ps_text_str(t, c->kind == PS_CALIBRATION_FULL
			   ? "the best of each round; upper quartile of the "
			     "rounds, memory: best but one)\n"
			   : "the best of the others)\n");
	for (unsigned i = 0; i < PS_COUNT(levels); i++)
		put_bar(t, levels[i].label, levels[i].per_second, most);
}

static const struct {
	const char *name;
	const char *meaning;
} words[] = {
    {"flushed", "1.5 MiB, flushed out of all caches before each run"},
    {"streamed",
     "arrays of four times the last cache in huge pages, stored around it"},
    {"flushed-huge",
     "12 MiB in huge pages, flushed out of all caches before each run"},
    {"capped", "arrays of 64 MiB in huge pages, stored around the caches"},
    {"kernel", "the kernel keeps time by it too"},
    {"forced", "by option; the kernel keeps time by another"},
    {"unstable", "the kernel keeps time by another clock than the TSC"},
    {"varying", "the TSC's rate is not constant"},
    {"chosen", "by option"},
};

_Static_assert(sizeof(((struct ps_calibration *)0)->dram_method) == 16 &&
		   sizeof(((struct ps_calibration *)0)->clock_trust) == 16,
	       "words of the calibration, as meaning_of takes them");

/* What a word of the calibration means; "" for none that is known. */
static const char *
meaning_of(const char field[16])
{
	for (unsigned i = 0; i < PS_COUNT(words); i++) {
		unsigned at = 0;

		while (at < 16 && words[i].name[at] == field[at] &&
		       field[at] != '\0')
			at++;
		if (at < 16 && words[i].name[at] == field[at])
			return words[i].meaning;
	}
	return "";
}

static void
put_memory(struct ps_text *t, const struct ps_calibration *c)
{
	ps_text_printf(t, "  memory: %s\n", meaning_of(c->dram_method));
	put_ns(t, "latency of memory", c->latency_dram_ns);
	ps_text_str(t, " (a chain of loads in random order)\n\n");
}

static void
put_computing(struct ps_text *t, const struct ps_calibration *c)
{
	put_rate(t, "peak", c->fma_flops, "GFLOP/s");
	ps_text_str(t, " (independent multiply-adds in registers)\n");
	put_rate(t, "matrix multiply", c->matmul_flops, "GFLOP/s");
	put_share_of_peak(t, c);
	ps_text_char(t, '\n');
	if (!is_measured(c->fma_flops, PER_SECOND_MAX) ||
	    !is_measured(c->vector_add_dram, PER_SECOND_MAX))
		return;
	ps_text_str(t, "  below ");
	ps_text_fixed(t, c->fma_flops / c->vector_add_dram, 1);
	ps_text_str(t, " FLOPs a byte, code is bound by memory\n\n");
}

static void
put_clock_alone(struct ps_text *t, const struct ps_calibration *c)
{
	put_clock(t, c->tsc_hz > 0 ? "tsc" : "monotonic", c);
	ps_text_printf(t, "\n    %s\n", meaning_of(c->clock_trust));
	put_ns(t, "  step", c->clock_quantum_ns);
	ps_text_char(t, '\n');
	if (!is_measured(c->marker_ns, COST_NS_MAX))
		return;
	put_ns(t, "marker pair", c->marker_ns);
	if (is_measured(c->marker_inside_ns, c->marker_ns)) {
		ps_text_str(t, ", of which ");
		ps_text_fixed(t, c->marker_inside_ns, 1);
		ps_text_str(t, " ns lie inside the interval it measures");
	}
	ps_text_char(t, '\n');
}

void
ps_put_calibration(struct ps_text *t, const struct ps_calibration *c,
		   const char *cpu_model)
{
	ps_text_str(t, "  ");
	(void)ps_put_name(t, cpu_model, 60);
	ps_text_str(t, "\n  ");
	put_isa(t, c);
	put_core(t, ", one ", c->core_hz);
	ps_text_str(t, " (a chain of additions)\n");
	put_levels(t, c);
	put_memory(t, c);
	put_computing(t, c);
	put_clock_alone(t, c);
}
