# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# rows: for the stories of tests/hazards.rows: one line a row, what came of it
# with the shim and, where COMPARE=1 asks for it, with libjemalloc.so.2.
#
# The lines are also left in $B/hazards, from where scripts/hazards.py makes
# its table.
. "$E2E/lib.sh"

JEMALLOC=$(find /usr/lib/*-linux-gnu /usr/lib64 -name libjemalloc.so.2 2>/dev/null | head -n 1)
rows_file=$B/hazards/$(basename -- "$0" .sh)
mkdir -p "$B/hazards" && : >"$rows_file"

# Set before `row`, for one row, and forgotten after it:
row_before='' row_after='' # preloads that come before and after the one under test
row_seconds=60             # until it counts as a hang
row_compare_seconds=20     # the same for jemalloc
row_leaves=recording       # `nothing`: the program cannot leave a recording
row_modes=(PERFSHIM_SAMPLE=auto PERFSHIM_SAMPLE=all)

row_reset()
{
	row_before='' row_after='' row_seconds=60 row_leaves=recording row_compare_seconds=20
	row_modes=(PERFSHIM_SAMPLE=auto PERFSHIM_SAMPLE=all)
}

# under LIBRARY COMMAND...: prints its stdout and "[STATUS]"; stderr in row.err.
# The time-out itself is not preloaded: it is one process more.
under()
{
	local library=$1 status
	shift
	local preload="${row_before:+$row_before:}$library${row_after:+:$row_after}"
	preload=${preload#:}
	timeout -s KILL "$row_seconds" env ${preload:+LD_PRELOAD="$preload"} "$@" 2>row.err
	status=$?
	printf '[%s]' "$status"
}

note_row()
{
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$rows_file"
	printf '%-4s %-8s %s\n' "$1" "$2" "$3"
}

# in_words EXPECTED GOT
in_words()
{
	local status=${2##*[}
	if [ "$1" = "$2" ]; then echo as without; return; fi
	case ${status%]} in
	137) echo 'hangs' ;;
	13[1-9] | 14[0-9] | 15[0-9]) echo "dies of SIG$(kill -l $((${status%]} - 128)))" ;;
	*) echo "differs: $(printf '%.60s' "${2//[$'\n\t']/ }")" ;;
	esac
}

# compare_row ID EXPECTED COMMAND...
compare_row()
{
	if [ "${COMPARE:-0}" = 1 ] && [ -n "$JEMALLOC" ]; then
		row_seconds=$row_compare_seconds
		note_row "$1" jemalloc "$(in_words "$2" "$({ under "$JEMALLOC" "${@:3}"; } 2>/dev/null)")"
	fi
}

# row ID COMMAND...: status and stdout are those of the command without the shim,
# by default and with every allocation sampled, and it leaves a recording.
row()
{
	local id=$1 want got mode
	shift
	want=$({ under '' "$@"; } 2>/dev/null)
	for mode in "${row_modes[@]}"; do
		rm -rf rec && mkdir rec
		got=$({ under "$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none "$mode" "$@"; } 2>/dev/null)
		if [ "$want" != "$got" ]; then
			note_row "$id" shim "$(in_words "$want" "$got")"
			fail "$id, $*, $mode: $want" "$got $(head -n 3 row.err)"
		fi
		[ "$row_leaves" = nothing ] || compgen -G 'rec/*.perfshim' >/dev/null ||
			fail "$id, $*, $mode to leave a recording" "$(head -n 3 row.err)"
	done
	note_row "$id" shim 'as without'
	compare_row "$id" "$want" "$@"
	row_reset
}

# Built in the story, where a library's order at load is the point.
compile()
{
	"$@" >compile.log 2>&1 || fail "to compile: $*" "$(head -n 5 compile.log)"
}
