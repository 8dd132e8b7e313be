#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Secrets: what stands on a command line or in the environment is in no
# recording, no report and no message, whatever the ending.
. "$E2E/lib.sh"

# hazard: R5 Secrets
argument=ARG-hunter2-$$ variable=ENV-hunter2-$$
export PGPASSWORD=$variable SECRET_TOKEN=$variable
unset PERFSHIM_REPORT

# clean WHAT FILE...: neither is in any of them; each has something in it.
clean()
{
	local what=$1 file
	shift
	for file; do
		[ -s "$file" ] || fail "something in $file ($what)"
		for secret in "$argument" "$variable" PGPASSWORD; do
			if grep -aq -- "$secret" "$file"; then
				fail "no secret in $file ($what)" "$(grep -ao -- ".\{0,40\}$secret.\{0,10\}" "$file" | head -n 2)"
			fi
		done
	done
}

for how in return _exit kill segv exec; do
	run_shim PERFSHIM_SAMPLE=all PERFSHIM_METRICS="$PWD/exit.prom" PERFSHIM_ALERT='info: heap > 1K' \
		PERFSHIM_ALERT_TO="$PWD/alerts" "$T/die" "$how" --password="$argument"
	clean "the recording after $how" rec/*
done
equal 600 "$(stat -c %a rec/* | sort -u)" 'the mode of recordings'
clean 'what the process wrote' exit.prom alerts
for option in --text --json --folded --pprof --callgrind --massif --tree --alerts --merge; do
	one=(rec/die.*.perfshim)
	case $option in --tree | --alerts | --merge) one=(rec) ;; esac
	"$B/perfreport" $option "${one[0]}" >"out$option" 2>err || fail "perfreport $option to work" "$(<err)"
	if [ $option = --pprof ]; then zcat <out--pprof >out.pprof && mv out.pprof out--pprof; fi
	clean "$option" "out$option"
done
"$B/perfreport" --metrics out.prom rec && clean '--metrics' out.prom
LD_PRELOAD=$LIB "$T/die" return "$argument" >out 2>exit.txt
clean 'the report at exit' exit.txt
"$WRAP" --library "$LIB" --json wrap.json -- "$T/die" return "$argument" >out 2>wrap.txt ||
	fail 'perfwrap.sh to work' "$(<wrap.txt)"
clean 'perfwrap.sh' wrap.txt wrap.json
# A value that is refused is named, but that is one of ours.
LD_PRELOAD=$LIB PERFSHIM_DEPTH=x PERFSHIM_REPORT=none "$T/die" return "$argument" 2>complaint.txt
clean 'a complaint' complaint.txt
