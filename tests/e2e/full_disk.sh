#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Disks that are full, limits and directories that go away: the program is
# untouched, and the report says what is missing.
. "$E2E/lib.sh"

export PERFSHIM_SAMPLE=all
unset PERFSHIM_REPORT

# shim DIRECTORY COMMAND...: recording there; stderr is looked at.
shim()
{
	run shim env LD_PRELOAD="$LIB" PERFSHIM_OUT="$1" PERFSHIM_REPORT=none "${@:2}"
}

# untouched WHAT: as in bare.
untouched()
{
	equal "$(<bare.status)" "$(<shim.status)" "the status with $1"
	equal "$(<bare.out)" "$(<shim.out)" "the stdout with $1"
}

# missing FILE WHAT [REGEX]: the report of it says that there is more.
missing()
{
	text=$("$B/perfreport" --text --no-color "$1" 2>report.err) ||
		fail "perfreport to read what is left with $2" "$(<report.err)"
	has "$text" "${3:-[0-9]+ tables that the disk refused to let grow \(.+\)}" "the report with $2"
	has "$text" '[0-9]+ rows that found no room in a table' "the report with $2"
}
run_bare "$T/spread" go
equal 5 "$(<bare.status)" 'the status of the program alone'

# Directories in which there can be no recording: one line, in memory then.
mkdir -m 0555 closed && touch plain
for where in /nonexistent/deeper "$PWD/plain" /proc /dev/null; do
	shim "$where" "$T/spread" go
	untouched "PERFSHIM_OUT=$where"
	equal 1 "$(wc -l <shim.err)" "lines on stderr with PERFSHIM_OUT=$where"
	has "$(<shim.err)" '^perfshim: PERFSHIM_OUT=.* no recording there \(error .*going on in memory$' \
		'what is said'
done

# hazard: F5 RLIMIT_FSIZE
mkdir rec
# shellcheck disable=SC2016 # the inner shell's
shim "$PWD/rec" bash -c 'ulimit -f 1024; exec "$0" go' "$T/spread"
untouched 'files of 1 MiB at most'
has "$(<shim.err)" 'no recording there \(error 27: File too large\)' 'what is said'
# What is written besides: a file that is at its limit is no SIGXFSZ either.
head -c 1024 /dev/zero >limited
for setting in ALERT_TO="$PWD/limited" METRICS="$PWD/limited" REPORT="$PWD/limited" REPORT=stderr; do
	head -c 1024 /dev/zero >said
	# shellcheck disable=SC2016 # the inner shell's
	env LD_PRELOAD="$LIB" PERFSHIM_REPORT=none PERFSHIM_ALERT='info: heap > 1K' PERFSHIM_"$setting" \
		bash -c 'ulimit -f 1; exec "$0" go' "$T/spread" >got 2>>said
	got="$? $(<got)"
	equal "5 $(<bare.out)" "$got" "status and stdout with PERFSHIM_$setting and no room for files"
done
# What is written without a recording stops at the limit, too, without a signal.
for blocks in 0 1 2; do
	rm -f r.*
	# shellcheck disable=SC2016 # the inner shell's
	run shim env LD_PRELOAD="$LIB" PERFSHIM_REPORT="$PWD/r.report" PERFSHIM_METRICS="$PWD/r.prom" \
		bash -c 'ulimit -f "$1"; exec "$0" go >/dev/null' "$T/spread" "$blocks"
	equal 5 "$(<shim.status)" "the status with a report of $blocks KiB at most"
done
# hazard: F7 EMFILE and chroot
# From the middle on: recordings grow without a descriptor and without a path.
mkdir empty
for how in nofile fsize chroot; do
	if [ "$how" = chroot ] && ! chroot / true 2>/dev/null; then continue; fi
	rm -f rec/*
	run_bare "$T/spread" "$how" "$PWD/empty"
	shim "$PWD/rec" "$T/spread" "$how" "$PWD/empty"
	untouched "$how from the middle on"
	"$B/perfreport" --json -o report.json rec/spread.* || fail "a recording with $how"
	expect 'heap["allocations"] >= 4096' 'sampling["dropped"] == 0'
done

# halves ACTION...: the program waits in its middle while ACTION is done.
halves()
{
	rm -f rec/*.perfshim in half.out && mkfifo in
	PERFSHIM_SAMPLE=all PERFSHIM_REPORT=none LD_PRELOAD=$LIB PERFSHIM_OUT=$PWD/rec \
		"$T/spread" wait <in >half.out 2>shim.err &
	local pid=$!
	exec 5>in
	until grep -qs half half.out; do sleep 0.02; done
	"$@"
	echo go >&5
	exec 5>&-
	wait "$pid"
	equal 5 $? "the status after $*"
	equal "half $(<bare.out)" "$(tr '\n' ' ' <half.out | sed 's/ $//')" "the stdout after $*"
	equal '' "$(<shim.err)" "the stderr after $*"
}
run_bare "$T/spread" go
# hazard: F14 inode lifetime
halves rm -rf rec
mkdir rec
# Another file at that path stays what it is.
# shellcheck disable=SC2317 # called by halves
replace()
{
	for file in rec/*.perfshim; do rm "$file" && echo other >"$file"; done
}
halves replace
equal other "$(cat rec/*.perfshim)" 'the file that took the place of the recording'
halves mv rec elsewhere
"$B/perfreport" --json -o report.json elsewhere || fail 'a recording that was moved'
expect 'heap["allocations"] >= 4096'
mkdir -p rec

# hazard: F4 SIGBUS on the mapped file
# Small file systems, in a mount namespace of our own.
if ! unshare -m true 2>/dev/null; then
	skip 'no mount namespaces here: full disks were not tried'
fi
mkdir -p small
# in_small SIZE OPTIONS COMMAND...: with a file system of that size at small.
in_small()
{
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m bash -c 'mount -t tmpfs -o "size=$0,$1" none small || exit 99
		"${@:2}"; status=$?; cp small/*.perfshim . 2>/dev/null; exit $status' "$@"
}
export LD_PRELOAD_LATER=$LIB
# shellcheck disable=SC2016 # the inner shell's
spread=(bash -c 'LD_PRELOAD=$LD_PRELOAD_LATER PERFSHIM_REPORT=none PERFSHIM_OUT=$PWD/small exec "$0" go' "$T/spread")
for size in 8k 28k 40k 64k 300k 700k; do
	rm -f -- *.perfshim
	run shim in_small "$size" mode=0700 "${spread[@]}"
	[ "$(<shim.status)" != 99 ] || skip 'no tmpfs here: full disks were not tried'
	untouched "a disk of $size"
	if compgen -G 'spread.*.perfshim' >/dev/null; then
		equal '' "$(<shim.err)" "the stderr with a disk of $size"
		missing spread.*.perfshim "a disk of $size"
		recorded_on+=" $size"
	else
		has "$(<shim.err)" 'no recording there \(error 28: No space left on device\)' \
			"what is said of a disk of $size"
		refused_on+=" $size"
	fi
done
[[ -n ${recorded_on-} && -n ${refused_on-} ]] ||
	fail 'disks that are full from the start, and from the middle on' "${recorded_on-} | ${refused_on-}"
run shim in_small 10m ro "${spread[@]}"
untouched 'a file system for reading only'
has "$(<shim.err)" 'no recording there \(error 30: Read-only file system\)' 'what is said'
