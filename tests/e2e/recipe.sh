#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The two CI recipes of README, as they stand there, on a program that is made
# slower and fatter on purpose.
. "$E2E/lib.sh"
need git make gcc

# recipe NAME: the block below <!-- recipe NAME --> in README.
recipe()
{
	sed -n "/^<!-- recipe $1 -->\$/,/^\`\`\`\$/p" "$E2E/../../README.md" | sed '1,2d;$d'
}
# step NAME: the lines of a step's `run: |`.
step()
{
	recipe actions | sed -n "/- name: $1\$/,/- name: /p" | sed -n '/run: |/,$p' |
		sed -e '1d' -e '/- name: /d' -e 's/^ *//'
}
# app WORK BLOCKS: the program, in thousands of multiplications and KiB.
app()
{
	cat >app.c <<-END
		#include <stdlib.h>
		#include <string.h>
		static char *volatile blocks[$2];
		int main(void)
		{
			volatile unsigned long seed = 3;
			unsigned long x = seed;
			for (long i = 0; i < $1 * 1000L; i++)
				x = x * 6364136223846793005u + 1;
			seed = x;
			for (int i = 0; i < $2; i++)
				memset(blocks[i] = malloc(1024), 1, 1024);
			return 0;
		}
	END
}

mkdir bin && PATH=$PWD/bin:$PATH
printf '#!/bin/sh\nexec "%s" --library "%s" "$@"\n' "$WRAP" "$LIB" >bin/perfwrap.sh && chmod +x bin/perfwrap.sh

# ---- plain make
mkdir plain && cd plain || exit 1
printf 'app: app.c\n\tgcc -O1 -o app app.c\n' >Makefile
recipe make >>Makefile
has "$(<Makefile)" 'perf-gate: app' 'the recipe in README'
app 5000 200
make perf-baseline >out 2>&1 || fail 'make perf-baseline to work' "$(<out)"
touch app.c
make perf-gate >out 2>&1
has "$(<out)" 'peak-heap +1\.000x .* ok' 'the gate on the same program'
hasnt "$(<out)" 'REGRESSION' 'the gate on the same program'
app 5000 230
make perf-gate >out 2>&1 && fail 'make to fail when it is fatter' "$(<out)"
has "$(<out)" 'peak-heap .*REGRESSION' 'the gate on a fatter program'
has "$(<out)" 'Error 3' 'what make says'
app 40000 200
make perf-gate >out 2>&1 && fail 'make to fail when it is slower' "$(<out)"
has "$(<out)" 'time .*REGRESSION' 'the gate on a slower program'
cd .. || exit 1

# ---- GitHub Actions: YAML that says what a workflow must
recipe actions >workflow.yml
python - <<'END' || fail 'the recipe to be a workflow' "$(<workflow.yml)"
import yaml
w = yaml.safe_load(open("workflow.yml"))
assert w[True] == "pull_request", w  # YAML 1.1 reads `on` as a truth
(job,) = w["jobs"].values()
assert job["runs-on"].startswith("ubuntu-"), job
uses = [s for s in job["steps"] if "uses" in s]
runs = {s["name"]: s["run"] for s in job["steps"] if "run" in s}
assert uses[0]["uses"].startswith("actions/checkout@v") and uses[0]["with"] == {"fetch-depth": 0}, uses
assert list(runs) == ["install perfshim from a checkout of it", "build both", "gate"], runs
assert all(set(s) <= {"name", "run", "env", "uses", "with"} for s in job["steps"]), job["steps"]
# What bash runs below is what YAML says, line by line.
for name, file in (("build both", "build"), ("gate", "gate")):
    open(file + ".lines", "w").write(runs[name])
END
equal "$(<build.lines)" "$(step 'build both')" 'the lines that are run'
equal "$(<gate.lines)" "$(step gate)" 'the lines that are run'

# ---- GitHub Actions: the pull request is HEAD, its base the commit before
mkdir pull && cd pull || exit 1
git init -q . && git config user.name test && git config user.email test@example.org
printf 'app: app.c\n\tgcc -O1 -o app app.c\n' >Makefile
app 5000 200 && git add . && git commit -qm base
BASE=$(git rev-parse HEAD) && export BASE
# job: the two steps, in a shell as Actions starts it; its status.
job()
{
	(step 'build both' && step gate) | bash -e >../job.out 2>&1
	local status=$?
	git worktree remove --force ../base
	return "$status"
}
has "$(step gate)" '^perfwrap.sh --vs' 'the step in README'
app 5000 230 && git commit -qam fatter
job
equal 3 $? "the status on a fatter program $(<../job.out)"
has "$(<../job.out)" 'B peak-heap .*REGRESSION' 'the gate on a fatter program'
app 40000 200 && git commit -qam slower
job
equal 3 $? "the status on a slower program $(<../job.out)"
has "$(<../job.out)" 'B time .*REGRESSION' 'the gate on a slower program'
app 5000 150 && git commit -qam thinner
job
status=$?
[[ $status =~ ^[04]$ ]] || fail 'a status of 0 (or 4, on a busy machine)' "$status $(<../job.out)"
has "$(<../job.out)" 'B peak-heap .* ok' 'the gate on a thinner program'
