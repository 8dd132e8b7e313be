/* SPDX-License-Identifier: MIT */
/*
 * calibration_settle - what is known of this machine, or measured of it now
 */
#include <string.h>

#include "measure/calibrate.h"
#include "measure/calibrate_rounds.h"
#include "measure/calibration_settle.h"
#include "simd/simd.h"

/* Of another set of instructions, figures are of another machine. */
static bool
load(const char *path, const struct ps_calibration_key *key,
     struct ps_calibration *known, struct ps_rounds *rounds)
{
	return path != NULL &&
	       ps_calibration_load_rounds(path, key, known, rounds) == 0 &&
	       strcmp(known->isa, ps_simd_name(ps_simd_isa())) == 0;
}

/* A clock that went back is none of this boot's. */
static bool
is_settled(const struct ps_calibration *known, const struct ps_rounds *rounds,
	   uint64_t now_ns)
{
	return known->kind == PS_CALIBRATION_FULL ||
	       rounds->count >= PS_QUICK_ROUNDS ||
	       now_ns - rounds->last_ns < PS_QUICK_APART_NS;
}

/* One round more, and what all of them say. */
static int
measure(enum ps_calibration_kind kind, uint64_t now_ns,
	struct ps_rounds *rounds, struct ps_calibration *out)
{
	int error = ps_calibrate(kind, out);

	if (error != 0 || kind == PS_CALIBRATION_FULL)
		return error;
	_Static_assert(PS_QUICK_ROUNDS <= (int)PS_ROUNDS_MAX, "they fit");
	ps_rounds_keep(rounds, out);
	ps_rounds_settle(rounds, PS_ROUNDS_MEDIAN, out);
	rounds->last_ns = now_ns;
	out->is_cached = rounds->count > 1;
	return 0;
}

int
ps_calibration_settle(enum ps_calibration_kind kind, const char *path,
		      const struct ps_calibration_key *key, uint64_t now_ns,
		      struct ps_calibration *out)
{
	struct ps_rounds rounds;
	struct ps_calibration known;
	struct ps_calibration fresh;
	bool is_known =
	    load(path, key, &known, &rounds) && known.kind >= (uint32_t)kind;
	int error;

	if (is_known && is_settled(&known, &rounds, now_ns)) {
		*out = known;
		return 0;
	}
	if (!is_known)
		memset(&rounds, 0, sizeof(rounds));
	error = measure(kind, now_ns, &rounds, &fresh);
	if (error == 0)
		*out = fresh;
	else if (is_known)
		*out = known;
	if (error == 0 && path != NULL)
		error = ps_calibration_save_rounds(path, key, &fresh, &rounds);
	return error;
}
