/* SPDX-License-Identifier: MIT */
/*
 * gate - whether something got worse than allowed, in as few runs as will do
 *
 * Runs are made in steps; after each, the interval of the ratio new / old is
 * looked at.  Wholly above the limit: a regression.  Wholly below: none.  Else
 * more runs are made, until there may be no more.
 */
#ifndef PS_GATE_H
#define PS_GATE_H

#include "bench/location.h"

enum ps_gate_verdict {
	PS_GATE_UNDECIDED,
	PS_GATE_PASSED,
	PS_GATE_REGRESSION,
	PS_GATE_INCONCLUSIVE, /* no more runs, and still undecided */
};

enum { PS_GATE_LOOKS_MOST = 12 };

struct ps_gate {
	double limit; /* allowed growth: 0.05 is 5 % */
	double error; /* chance of a false alarm, and of a missed one at the
			 limit's other side, over all looks together */
	size_t first; /* runs before the first look, >= 2 */
	size_t most;  /* runs at the last */
};

struct ps_gate_look {
	double ratio;
	struct ps_interval interval; /* of the ratio */
	double confidence;	     /* of the interval, at this look */
	enum ps_gate_verdict verdict;
};

/* How many looks there are, and the runs that have been made at each. */
unsigned ps_gate_looks(const struct ps_gate *g);
size_t ps_gate_runs(const struct ps_gate *g, unsigned look);

/*
 * Look at the location of log(new / old) after ps_gate_runs(g, look) runs.
 * The last look leaves nothing undecided.
 */
struct ps_gate_look ps_gate_take(const struct ps_gate *g, unsigned look,
				 const struct ps_location *log_ratio);

/*
 * When the same comparison of a reference workload, which did not change, is
 * known: what is left of the ratio when the machine's own change is taken off
 * (as far as its 95 % interval is sure of one) must lie on the same side of the
 * limit.  It is the machine that changed otherwise, and the verdict becomes
 * undecided (inconclusive at the last look).
 */
void ps_gate_doubt(const struct ps_gate *g, unsigned look,
		   const struct ps_location *reference_log_ratio,
		   struct ps_gate_look *of);

#endif /* PS_GATE_H */
