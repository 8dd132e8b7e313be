#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh --alert: told on stderr as it happens, to a command, to the log.
. "$E2E/lib.sh"

ulimit -c 0
# A stand-in for logger, which has nobody to talk to here.
mkdir bin
cat >bin/logger <<'END'
#!/bin/sh
echo "$@" >>logged
END
chmod +x bin/logger

# wrapped ARGUMENTS: the leak for a second, with two rules.
wrapped()
{
	rm -rf rec
	PATH=$PWD/bin:$PATH "$WRAP" --library "$LIB" -o rec --no-children \
		--alert 'critical: heap > 20M' --alert 'section(round).max > 1ns' "$@" \
		"$T/leak" large 3000 >out 2>err &
	wrapper=$!
}

# The command is run while the program is: it is what ends the program.
cat >act.sh <<'END'
alert=$(cat)
printf '%s\n' "$alert" >alert.$$.json
case $alert in *critical*) kill -TERM "$(sed 's/.*"pid":\([0-9]*\).*/\1/' alert.$$.json)" ;; esac
echo on stdout
END
wrapped --on-alert 'exec bash act.sh' --alert-log
wait $wrapper
equal 143 $? 'the status of a program that its alert ended'
equal 2 "$(find . -name 'alert.*.json' | wc -l)" 'the alerts that came to the command'
python - alert.*.json <<'END' || exit 1
import json, sys
alerts = {a["rule"]: a for a in (json.load(open(name)) for name in sys.argv[1:])}
heap = alerts["critical: heap > 20M"]
assert heap["severity"] == "critical" and heap["value"] > 20 << 20, heap
assert heap["exe"].endswith("/leak") and heap["sites"] and "forget (leak)" in heap["sites"][0]["stack"], heap
assert alerts["section(round).max > 1ns"]["section"] == "round", alerts
END
equal '' "$(<out)" 'stdout, which is the program'"'"'s'
has "$(<err)" 'perfwrap.sh: alert: critical: heap > 20M: 2[0-9.]+ MiB, threshold 20.0 MiB \(leak, pid [0-9]+\)' 'stderr'
has "$(<err)" 'on stdout' "what the command printed, on stderr"
has "$(<err)" 'THE HEAP AT THE LAST ALERT' 'the report'
has "$(<logged)" '-t perfshim -p user.warning -- critical: heap > 20M: 2' 'the log'
equal 2 "$(wc -l <logged)" 'the lines in the log'

# A command that fails is named, and changes nothing; --quiet is quiet.
wrapped --quiet --on-alert 'exit 3'
sleep 1
kill -TERM $wrapper
wait $wrapper
equal 143 $? 'the status'
equal $'perfwrap.sh: --on-alert: status 3\nperfwrap.sh: --on-alert: status 3' "$(<err)" 'stderr with --quiet'

# A short run: what happened just before the end is told too.
"$WRAP" --library "$LIB" --alert 'heap > 1K' --alert-log --quiet true 2>err
"$WRAP" --library "$LIB" --alert 'heap > 1K' --on-alert 'cat >last.json' -- bash -c 'x=1' 2>err
equal 0 $? 'the status of a short run'
[ -s last.json ] || fail 'an alert of a short run' "$(<err)"

# Mistakes.
"$WRAP" --library "$LIB" --alert 'heap >' true 2>err
equal 2 $? 'the status with a bad rule'
has "$(<err)" 'column 7: allowed here: a number' 'what is said about it'
"$WRAP" --library "$LIB" --alert 2>err
equal 2 $? 'the status without a rule'
