/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "base/os.h"
#include "pool/decay.h"
#include "pool/range.h"
#include "pool/segment.h"

enum { STEPS_A_SECOND = 2, HURRIED_STEPS_A_SECOND = 50 };

static ps_ticks second;
static _Atomic ps_ticks next_step;
static _Atomic uint32_t steps;

void
ps_pool_decay_init(ps_ticks a_second)
{
	PS_ASSERT(a_second > HURRIED_STEPS_A_SECOND);
	if (second != a_second)
		second = a_second;
}

static PS_COLD void
step(ps_ticks now, ps_ticks due)
{
	bool has_more;

	if (second == 0)
		return;
	if (!atomic_compare_exchange_strong(&next_step, &due,
					    now + second / STEPS_A_SECOND))
		return; /* another thread does it */
	atomic_fetch_add(&steps, 1);
	has_more = ps_segment_decay();
	ps_range_decay();
	/* Somebody else's prlimit, or a system call that went round ours. */
	ps_range_trim(ps_os_limit(RLIMIT_AS));
	if (has_more)
		ps_poke(&next_step, now + second / HURRIED_STEPS_A_SECOND);
}

void
ps_pool_tick(ps_ticks now)
{
	ps_ticks due = ps_peek(&next_step);

	if (ps_unlikely(now >= due))
		step(now, due);
}

uint32_t
ps_pool_steps(void)
{
	return ps_peek(&steps);
}
