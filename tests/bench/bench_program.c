/* SPDX-License-Identifier: MIT */
/*
 * bench_program - real programs that nobody rebuilt, under each allocator
 *
 * Each is in the distribution.  What is missing is left out, by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/rivals.h"

#define SQL                                                                    \
	"create table t(a integer primary key, b text, c real);"               \
	"with recursive n(i) as (select 1 union all select i+1 from n "        \
	"where i<300000) insert into t select i, 'name ' || (i*7919 % 10007)," \
	" i*0.37 from n;"                                                      \
	"create index x on t(b);"                                              \
	"select b, count(*), avg(c) from t group by b order by 2 desc limit 5"

#define PYTHON                                                                 \
	"d = {}\n"                                                             \
	"for i in range(150000):\n"                                            \
	"    d['key %d' % i] = [i, str(i), {'a': i, 'b': (i, i + 1)}]\n"       \
	"s = sorted(d, key=lambda k: d[k][1])\n"                               \
	"t = ''.join(s[:1000])\n"

#define NODE                                                                   \
	"const a=[];for(let i=0;i<300000;i++)a.push({i,s:'x'+i,b:[i,i+1]});"   \
	"const m=new Map(a.map(o=>[o.s,o]));let n=0;"                          \
	"for(let i=0;i<40;i++)n+=Buffer.alloc(i*4096).length;"                 \
	"JSON.parse(JSON.stringify(a.slice(0,100000)));"

static const struct bench_case programs[] = {
    {"gcc -O2",
     {"gcc", "-O2", "-Ilib", "-I.", "-D_GNU_SOURCE", "-c", "-o", "/dev/null",
      "lib/base/options.c"}},
    {"python3", {"python3", "-c", PYTHON}},
    {"sqlite3", {"sqlite3", ":memory:", SQL}},
    {"node", {"node", "-e", NODE}},
    {"git log", {"git", "log", "--stat", "-n", "40"}},
    {"bash", {"bash", "-c", "for ((i = 0; i < 40000; i++)); do a[i]=$i; done"}},
    {"true", {"true"}},
};

static bool
is_installed(const char *name)
{
	char command[200];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1",
		 name);
	return system(command) == 0;
}

int
main(void)
{
	enum { COUNT = sizeof(programs) / sizeof(*programs) };
	struct bench_case cases[COUNT];
	size_t count = 0;

	for (size_t i = 0; i < COUNT; i++) {
		if (is_installed(programs[i].argv[0]))
			cases[count++] = programs[i];
		else
			printf("%s is not installed: left out\n",
			       programs[i].argv[0]);
	}
	rivals_compare(cases, count, 7, FIGURE_CPU, "CPU seconds", FIGURE_RSS);
	return 0;
}
