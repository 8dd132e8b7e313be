#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: git makes a repository, packs it and shows its log.
. "$E2E/lib.sh"

need git
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org \
	GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org \
	GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
cat >work.sh <<'END'
set -e
git init -q -b main "$1" && cd "$1"
for i in $(seq 40); do
	seq $((i * 100)) >file$((i % 7))
	git add -A && git commit -q -m "change $i"
done
git repack -adq
git fsck --no-progress
git log --stat --format='%H %s' | cat
git diff HEAD~20 HEAD | sha256sum
END
run_bare sh work.sh bare
run_shim sh work.sh shim
same_output
equal 0 "$(<shim.status)" 'the status of the script'
rm -r rec
run_bare git -C shim log -p --format='%H %s'
run_shim git -C shim log -p --format='%H %s'
same_output stderr
plausible
expect 'process["exe"].endswith("git")' 'heap["allocations"] > 1000'
