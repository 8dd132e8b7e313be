#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh: the everyday command.  Runs a command with libperfshim.so in
# front of it and, when it has ended, prints what was recorded of it and of the
# processes that it started.  The command keeps its standard streams, its
# signals and its status; everything of ours goes to stderr or to files.
#
# With an option of the benchmark, comparison and load test modes it becomes
# perfbench, which has the table of them.
set -u

libdir='' # set when installed to a place that is not ../lib from here

usage()
{
	cat <<'END'
usage: perfwrap.sh [options] [--] command [args]
       perfwrap.sh --runs N | --vs CMD | --baseline FILE | --load N ... command

Run command under perfshim, then print its report and a table of the processes
that ran, to stderr.  The status is the command's (128 + N: killed by signal N).

  -o DIR           keep the recordings in DIR (perfreport reads them later)
  --report FILE    write the report to FILE instead of stderr
  --json FILE      write the report as JSON to FILE
  --html FILE      write the report as one page for a browser to FILE
  --sample N       bytes between samples, such as 64K; auto; all = each one; off
  --alert RULE     raise an alert when RULE comes true, such as 'heap > 80% of
                   limit' (perfshim-rules(7)); may be given several times
  --on-alert CMD   run CMD for each alert, which it gets as JSON on its stdin
  --alert-log      send alerts to the system's log (logger, syslog or journal)
  --no-children    leave the processes that the command starts alone
  --quiet          no report on stderr
  --machine        print what this machine can do at best; runs no command
  --library FILE   this libperfshim.so
  --help  --version
END
}

# The options of the other modes are perfbench's.
usage_modes()
{
	find_files
	if [ -x "$perfbench" ]; then printf '\n' && "$perfbench" --help; fi
}

# is_mode_option OPTION: does perfbench know it?
is_mode_option()
{
	find_files
	[ -x "$perfbench" ] && "$perfbench" --help | grep -q -e "^  ${1%%=*} "
}

# A terminal must not obey what stands in the name of a program.
note()
{
	printf 'perfwrap.sh: %s\n' "${*//[[:cntrl:]]/?}" >&2
}

fail()
{
	note "$*"
	exit 2
}

# ---- where our own files are ------------------------------------------------

# first_of FILE...: the first that can be read, as a full path.
first_of()
{
	local file
	for file; do
		[ -r "$file" ] && realpath -- "$file" && return
	done
	return 1
}

find_files()
{
	local here
	here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
	if [ -z "$library" ]; then
		library=$(first_of "$here/../build/libperfshim.so" \
			${libdir:+"$libdir/libperfshim.so"} \
			"$here/../lib/libperfshim.so") ||
			fail 'libperfshim.so is neither built (make) nor installed'
	else
		library=$(first_of "$library") || fail "no library $library"
	fi
	perfreport=$(first_of "${library%/*}/perfreport" "$here/perfreport" \
		"$here/../build/perfreport") || fail 'perfreport is not installed'
	perfbench=${perfreport%/*}/perfbench
}

# ---- what kind of program it is ---------------------------------------------

# number FILE OFFSET SIZE: an unsigned field of a binary file.
number()
{
	local value
	value=$(od -An -v -j "$2" -N "$3" -t "u$3" -- "$1" 2>/dev/null)
	printf '%s' "${value//[[:space:]]/}"
}

# Why this ELF file cannot be preloaded into, in `why`; false when it can.
elf_refuses()
{
	local file=$1 class machine offset size count i interpreter
	class=$(number "$file" 4 1) machine=$(number "$file" 18 2)
	if [ "$class" != 2 ] || [ "$machine" != 62 ]; then
		why='is not an x86-64 program' use_preload=0
		return 0
	fi
	offset=$(number "$file" 32 8)
	size=$(number "$file" 54 2) count=$(number "$file" 56 2)
	for ((i = 0; i < count; i++, offset += size)); do
		[ "$(number "$file" "$offset" 4)" = 3 ] || continue
		interpreter=$(tail -c +"$(($(number "$file" $((offset + 8)) 8) + 1))" \
			-- "$file" | head -c 64 | tr '\0' '\n' | head -n 1)
		case $interpreter in
		*/ld-linux-x86-64.so*)
			# As the name of a library that is needed; its runtime must come first.
			grep -qazxE 'lib(a|hwa|l|t)san\.so\.[0-9]+|libclang_rt\.[a-z]+san.*\.so' -- "$file" ||
				return 1
			why='is built with a sanitizer, which must have malloc to itself' use_preload=0
			return 0
			;;
		esac
		why="is linked to another C library ($interpreter)" use_preload=0
		return 0
	done
	why='is statically linked'
}

# Does starting this file as us make the loader ignore LD_PRELOAD?
is_privileged()
{
	local owner group
	read -r owner group < <(stat -L -c '%u %g' -- "$1")
	[ -u "$1" ] && [ "$owner" != "$EUID" ] && return 0
	[ -g "$1" ] && [ "$group" != "$(id -g)" ] && return 0
	[ "$EUID" -ne 0 ] && type -P getcap >/dev/null &&
		[ -n "$(getcap -- "$1" 2>/dev/null)" ]
}

# The program that runs the script FILE: its #! line, through env if need be.
interpreter_of()
{
	local line words word
	IFS= read -r line <"$1" 2>/dev/null
	read -r -a words <<<"${line#'#!'}"
	if [ "${words[0]##*/}" != env ]; then
		printf '%s' "${words[0]}"
		return
	fi
	for word in "${words[@]:1}"; do
		case $word in
		-* | *=*) ;;
		*) type -P -- "$word" && return ;;
		esac
	done
}

# Say in one line why nothing can be recorded of the program itself, if so.
check_target()
{
	local file=$1 depth magic why=''
	for ((depth = 0; depth < 4; depth++)); do
		[ -r "$file" ] || break
		if is_privileged "$file"; then
			why='runs with other privileges than ours'
			break
		fi
		magic=$(od -An -N 4 -t x1 -- "$file" | tr -d ' \n')
		case $magic in
		7f454c46)
			elf_refuses "$file" || return 0
			break
			;;
		2321*) file=$(interpreter_of "$file") ;;
		*) return 0 ;;
		esac
	done
	[ -n "$why" ] || return 0
	note "$file $why: it runs, but nothing is recorded of it"
	is_noted=1
}

# The command's file in `program`, or the status that a shell gives.
find_program()
{
	program=$(type -P -- "$1")
	if [ -z "$program" ] && [[ $1 == */* ]] && [ -e "$1" ]; then
		[ -d "$1" ] && note "$1: is a directory" && exit 126
		note "$1: permission denied" && exit 126
	fi
	[ -n "$program" ] || { note "$1: command not found" && exit 127; }
}

# ---- running it ---------------------------------------------------------------

# LD_PRELOAD takes no space and no colon: such a path gets a link without them.
preload_path()
{
	local path=$library
	if [[ $path == *[[:space:]:]* ]]; then
		path=$work/libperfshim.so
		ln -s -- "$library" "$path" || fail "cannot link to $library"
	fi
	printf '%s' "$path"
}

# The LD_PRELOAD that the command gets: ours, then what was there.
preload_value()
{
	local value entry existing=${LD_PRELOAD-}
	value=$(preload_path) || exit
	for entry in ${existing//:/ }; do
		[ "$entry" = "$library" ] || value+=:$entry
	done
	printf '%s' "$value"
}

# shellcheck disable=SC2317 # called from a trap
# Are we the terminal's foreground group?  Then its ^C reaches the command.
is_foreground()
{
	local stat
	read -r stat <"/proc/$$/stat"
	# shellcheck disable=SC2086 # split into fields
	set -- ${stat##*) }
	[ "$3" = "$6" ]
}

# shellcheck disable=SC2317 # called from a trap
forward()
{
	[ -n "$pid" ] || exit 130
	signalled=1
	case $1 in
	INT | QUIT) is_foreground && return ;;
	esac
	kill -s "$1" "$pid" 2>/dev/null
}

# Signals that we forward, and those that the shell ignores in background jobs.
catch_signals()
{
	local signal
	default_signals=''
	for signal in INT QUIT TERM HUP USR1 USR2; do
		# Ignored when we came (nohup): stays so, for the command too.
		[[ $(trap -p "$signal") == "trap -- '' "* ]] && continue
		# shellcheck disable=SC2064 # expanded now
		trap "forward $signal" "$signal"
		default_signals+=,$signal
	done
}

# ---- alerts, from outside the processes ---------------------------------------

# shellcheck disable=SC2317 # called by follow
# Lines of JSON on stdin: the command once for each.
run_on_alerts()
{
	local line
	while IFS= read -r line; do
		timeout -k 5 60 bash -c "$on_alert" <<<"$line" >&2 ||
			note "--on-alert: status $?"
	done
}

# shellcheck disable=SC2317 # called by follow
# Lines in words on stdin.
tell_alerts()
{
	local line
	while IFS= read -r line; do
		[ "$quiet" -eq 1 ] || note "alert: $line"
		[ "$alert_log" -eq 0 ] || logger -t perfshim -p user.warning -- "$line"
	done
}

# follow FORMAT READER: alerts as they come, until stop_following.
follow()
{
	mkfifo "$work/$2" || fail "cannot write to $work"
	"$2" <"$work/$2" &
	readers+=($!)
	"$perfreport" "$1" --follow "$out" >"$work/$2" &
	followers+=($!)
}

follow_alerts()
{
	followers=() readers=()
	[ -n "$alerts" ] || return
	[ -z "$on_alert" ] || follow --alerts run_on_alerts
	if [ "$quiet" -eq 0 ] || [ "$alert_log" -eq 1 ]; then
		follow --alerts=text tell_alerts
	fi
}

# A last look is taken; what is running for an alert is waited for.
stop_following()
{
	[ "${#followers[@]}" -gt 0 ] || return
	kill -TERM "${followers[@]}" 2>/dev/null
	wait "${followers[@]}" "${readers[@]}"
}

# Runs the command; sets pid, status, and was_killed when a signal ended it.
run()
{
	local settings=(PERFSHIM_OUT="$out" PERFSHIM_REPORT=none)
	local options=()
	[ -n "$sample" ] && settings+=(PERFSHIM_SAMPLE="$sample")
	[ -n "$alerts" ] && settings+=(PERFSHIM_ALERT="$alerts" PERFSHIM_ALERT_TO="${PERFSHIM_ALERT_TO:-none}")
	[ "$children" = off ] && settings+=(PERFSHIM_CHILDREN=off)
	if [ "$use_preload" -eq 1 ]; then
		settings+=("LD_PRELOAD=$(preload_value)") || exit 2
	fi
	# What the machine can do is measured once a boot, and never in the run.
	"$perfreport" --calibrate 2>"$work/calibrate"
	pid=''
	catch_signals
	[ -n "$default_signals" ] && options+=("--default-signal=${default_signals#,}")
	# Opened once: the command may empty the directory of temporary files.
	exec {killed}>"$work/killed"
	env "${options[@]}" -- "${settings[@]}" "$@" <&0 {killed}>&- &
	pid=$!
	signalled=1
	while [ "$signalled" -eq 1 ]; do
		signalled=0
		# The shell's word on a job that a signal ended goes to a file.
		{ wait "$pid"; } 2>&"$killed"
		status=$?
	done
	was_killed=0
	if [ "$status" -gt 128 ] && kill -l $((status - 128)) >/dev/null 2>&1; then
		[ -s "/proc/$$/fd/$killed" ] && was_killed=1
		# Of these three the shell says nothing.
		case $((status - 128)) in 2 | 13 | 15) was_killed=1 ;; esac
	fi
}

# ---- what is printed ----------------------------------------------------------

report()
{
	local how=(--exit-code "$status") options=()
	[ "$was_killed" -eq 1 ] && how=(--exit-signal $((status - 128)))
	options=(--main "$pid" "${how[@]}")
	[ "${PERFSHIM_CHILDREN-}" = all ] || options+=(--tidy)
	if ! compgen -G "$out/*.perfshim" >/dev/null; then
		[ "$is_noted" -eq 1 ] || note 'nothing was recorded'
		return
	fi
	if [ -n "$json_file" ]; then
		"$perfreport" --json "${options[@]}" -o "$json_file" "$out" >&2
	fi
	if [ -n "$html_file" ]; then
		"$perfreport" --html "${options[@]}" -o "$html_file" "$out" >&2
	fi
	if [ -n "$report_file" ]; then
		"$perfreport" --text --tree "${options[@]}" -o "$report_file" "$out" >&2
	elif [ "$quiet" -eq 0 ]; then
		"$perfreport" --text --tree --no-pager "${options[@]}" "$out" >&2
	elif [ -z "$json_file$html_file" ]; then
		"$perfreport" --tree "${options[@]}" "$out" >/dev/null
	fi
}

# can_write OPTION FILE: said before the command runs, not after.
can_write()
{
	local directory=.
	[ -n "$2" ] || return
	[[ $2 != */* ]] || directory=${2%/*}/
	[ -d "$directory" ] || fail "$1 $2: no such directory"
	[ ! -d "$2" ] || fail "$1 $2: is a directory"
	{ [ -e "$2" ] && [ -w "$2" ]; } || { [ ! -e "$2" ] && [ -w "$directory" ]; } ||
		fail "$1 $2: permission denied"
}

# value_of OPTION [VALUE]...: its value.
value_of()
{
	[ $# -ge 2 ] || fail "$1 needs a value (perfwrap.sh --help)"
	printf '%s' "$2"
}

out='' report_file='' json_file='' html_file='' sample='' children=on quiet=0 library=''
only_version=0 only_machine=0 arguments=("$@")
alerts=${PERFSHIM_ALERT-} on_alert='' alert_log=0
while [ $# -gt 0 ]; do
	case $1 in
	-o) out=$(value_of "$@") || exit 2 && shift ;;
	--report) report_file=$(value_of "$@") || exit 2 && shift ;;
	--json) json_file=$(value_of "$@") || exit 2 && shift ;;
	--html) html_file=$(value_of "$@") || exit 2 && shift ;;
	--sample) sample=$(value_of "$@") || exit 2 && shift ;;
	--library) library=$(value_of "$@") || exit 2 && shift ;;
	--alert) alerts+=";$(value_of "$@")" || exit 2 && shift ;;
	--on-alert) on_alert=$(value_of "$@") || exit 2 && shift ;;
	--alert-log) alert_log=1 ;;
	--no-children) children=off ;;
	--quiet) quiet=1 ;;
	--help) usage && usage_modes && exit 0 ;;
	--version) only_version=1 ;;
	--machine) only_machine=1 ;;
	--) shift && break ;;
	-*)
		is_mode_option "$1" || fail "unknown option $1 (perfwrap.sh --help)"
		exec "$perfbench" --library "$library" "${arguments[@]}"
		;;
	*) break ;;
	esac
	shift
done

find_files
if [ "$only_version" -eq 1 ]; then
	version=$("$perfreport" --version) || exit 1
	printf 'perfwrap.sh %s\n' "${version##* }"
	exit 0
fi
[ "$only_machine" -eq 0 ] || exec "$perfreport" --machine
[ $# -gt 0 ] || { usage >&2 && exit 2; }
[[ -z $sample || $sample =~ ^(0*[1-9][0-9]*[KMGkmg]?|auto|all|off)$ ]] ||
	fail "--sample $sample: expected a number of bytes, auto, all or off"

"$perfreport" --check-rules "${alerts#;}" || fail '--alert: see perfshim-rules(7)'
can_write --report "$report_file"
can_write --json "$json_file"
can_write --html "$html_file"
if [ -n "$html_file" ]; then "$perfreport" --html --version >/dev/null || exit 1; fi
if [ -z "$alerts" ] && [ -n "$on_alert" ]; then fail '--on-alert needs --alert or PERFSHIM_ALERT'; fi
if [ "$alert_log" -eq 1 ]; then
	[ -n "$alerts" ] || fail '--alert-log needs --alert or PERFSHIM_ALERT'
	type -P logger >/dev/null || fail '--alert-log: logger is not installed'
fi

find_program "$1"
use_preload=1 is_noted=0
check_target "$program"

# make_work DIRECTORY...: a directory of our own in the first that allows it.
make_work()
{
	local base
	for base; do
		[[ $base != *[[:space:]:]* ]] && mktemp -d "$base/perfwrap.XXXXXX" 2>/dev/null && return
	done
	return 1
}

work=$(make_work "${TMPDIR:-/tmp}" /tmp /dev/shm) || fail "cannot write to ${TMPDIR:-/tmp}"
trap 'rm -rf -- "$work"' EXIT
if [ -n "$out" ]; then
	why=$(mkdir -p -- "$out" 2>&1) || fail "-o $out: ${why##*: }"
	[ -w "$out" ] || fail "-o $out: permission denied"
	out=$(realpath -- "$out")
else
	out=$work/out && mkdir "$out"
fi

follow_alerts
run "$@"
stop_following
report
exit "$status"
