#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# marker_lttng: prints what a pair of LTTng-UST tracepoints costs, in ns, recorded
# into a ring that overwrites itself; nothing where LTTng is not installed.
set -u
type -P lttng lttng-sessiond >/dev/null && [ -e /usr/include/lttng/tracepoint.h ] ||
	[ -e "/usr/include/$(uname -m)-linux-gnu/lttng/tracepoint.h" ] || exit 0
tree=$(mktemp -d) || exit 1
export LTTNG_HOME=$tree
ends()
{
	lttng destroy perfshim_bench >/dev/null 2>&1
	[ -z "${daemon-}" ] || kill "$daemon" 2>/dev/null
	wait
	rm -rf -- "$tree"
}
trap ends EXIT
cd "$tree" || exit 1

cat >points.h <<'END'
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER perfshim_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./points.h"
#if !defined(POINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define POINTS_H
#include <lttng/tracepoint.h>
LTTNG_UST_TRACEPOINT_EVENT(perfshim_bench, begin, LTTNG_UST_TP_ARGS(int, n),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, n, n)))
LTTNG_UST_TRACEPOINT_EVENT(perfshim_bench, end, LTTNG_UST_TP_ARGS(int, n),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, n, n)))
#endif
#include <lttng/tracepoint-event.h>
END
cat >pairs.c <<'END'
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "points.h"
#include <stdio.h>
#include <time.h>
enum { COUNT = 200000, ROUNDS = 9 };
static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}
int main(void)
{
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double begun = now_ns();
		for (int i = 0; i < COUNT; i++) {
			lttng_ust_tracepoint(perfshim_bench, begin, 1);
			__asm__ volatile("" : : : "memory");
			lttng_ust_tracepoint(perfshim_bench, end, 1);
		}
		begun = (now_ns() - begun) / COUNT;
		best = begun < best ? begun : best;
	}
	printf("%.4f\n", best);
	return 0;
}
END
"${CC:-gcc}" -O2 -D_GNU_SOURCE -I. -o pairs pairs.c -llttng-ust -ldl || exit 1
lttng-sessiond --no-kernel >/dev/null 2>&1 &
daemon=$!
for _ in {1..50}; do
	lttng create perfshim_bench --output="$tree/trace" >/dev/null 2>&1 && break
	sleep 0.1
done
{
	lttng enable-channel -u -s perfshim_bench --overwrite --subbuf-size=1M --num-subbuf=4 ring &&
		lttng enable-event -u -s perfshim_bench -c ring 'perfshim_bench:*' &&
		lttng start perfshim_bench
} >/dev/null || exit 1
./pairs
