#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo: shows the main job on two real programs, for `make demo`: a marked
# example in several threads, and the C compiler, which nobody marked.
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}

show()
{
	printf '\n$ perfwrap.sh %s\n\n' "$*"
	./scripts/perfwrap.sh --library "$B/libperfshim.so" -- "$@" 2>&1 || failed=1
}

# The longest of our own files keeps the compiler busy longest.
longest()
{
	wc -l lib/*/*.c | awk '$2 != "total" && $1 > most { most = $1; file = $2 }
		END { print file }'
}

failed=0
show "$B/targets/index" /usr/share
show "$CC" -std=gnu11 -D_GNU_SOURCE -DPS_VERSION='"demo"' -Ilib -I. -O2 -c "$(longest)" -o /dev/null
exit "$failed"
