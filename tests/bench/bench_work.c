/* SPDX-License-Identifier: MIT */
/*
 * bench_work - the workloads of work.h under each allocator: time and memory
 *
 *	bench_work            the tables
 *	bench_work NAME       run one workload, print its nanoseconds
 */
#include <stdio.h>
#include <string.h>

#include "tests/bench/rivals.h"
#include "tests/bench/work.h"

int
main(int argc, char **argv)
{
	struct bench_case cases[BENCH_CASES_MAX];
	size_t count = 0;

	for (const struct work *w = work_table; w->name != NULL; w++) {
		if (argc == 2 && strcmp(argv[1], w->name) == 0) {
			double begun = bench_now_s();

			w->run();
			printf("%.9f\n", bench_now_s() - begun);
			return 0;
		}
		cases[count++] =
		    (struct bench_case){w->name, {NULL, w->name, NULL}};
	}
	if (argc > 1) {
		fprintf(stderr, "bench_work: no workload is called %s\n",
			argv[1]);
		return 2;
	}
	rivals_compare(cases, count, 7, FIGURE_VALUE, "seconds", FIGURE_RSS);
	return 0;
}
