#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PERFSHIM_ALERT: who is told, and that nobody is waited for.
. "$E2E/lib.sh"

rules='critical: heap > 1M; section(round).max > 1ns; errors(round) > 5%; errors(round) > 20%; heap > 900G'

# The process whose recording is the latest of a leak.
last_leak()
{
	local file latest=''
	for file in rec/leak.*.perfshim; do
		[ -z "$latest" ] || [ "$file" -nt "$latest" ] && latest=$file
	done
	latest=${latest#rec/leak.} && printf '%s' "${latest%%.*}"
}

# leaks SECONDS [VAR=VALUE...]: the leak runs for a while, under the rules.
leaks()
{
	local seconds=$1
	shift
	run_shim PERFSHIM_ALERT="$rules" "$@" timeout -s KILL "$seconds" "$T/leak" small 50
	# timeout is under the shim too; what counts is its child.
	leak=$(last_leak)
}

# A bare process says it on stderr, in words, once.
run bare env LD_PRELOAD="$LIB" PERFSHIM_ALERT="$rules" PERFSHIM_REPORT=none \
	bash -c 'exec "$0" small 50 & sleep 1; kill -KILL $!' "$T/leak"
equal '' "$(<bare.err)" 'the stderr of a child, which is silent'
timeout 1 env LD_PRELOAD="$LIB" PERFSHIM_ALERT="$rules" PERFSHIM_REPORT=none "$T/leak" small 50 2>bare.err
equal 1 "$(grep -c '^perfshim: alert: critical: heap > 1M: 1\..* MiB, threshold 1.00 MiB (leak, pid [0-9]*)$' bare.err)" \
	"the alert on stderr ($(<bare.err))"
equal 3 "$(wc -l <bare.err)" "the lines on stderr ($(<bare.err))"

# A file, as JSON; %p and %e; relative to where the program was started.
leaks 1 PERFSHIM_ALERT_TO=%e.%p.alerts
[ -s "leak.$leak.alerts" ] || fail 'a file of alerts' "$(ls)"
"$B/perfreport" --alerts rec >listed || fail 'perfreport --alerts to work'
"$B/perfreport" --alerts -o listed.too rec || fail 'perfreport --alerts -o to work'
has "$(<listed)" '"rule":' 'what perfreport --alerts prints'
equal "$(<listed)" "$(<listed.too)" 'what perfreport --alerts -o writes'
python - "leak.$leak.alerts" "$leak" <<'END' || exit 1
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 3, lines
heap = [a for a in lines if a["section"] is None][0]
assert heap["rule"] == "critical: heap > 1M" and heap["severity"] == "critical", heap
assert heap["value"] > 1 << 20 and heap["threshold"] == 1 << 20 and heap["unit"] == "bytes", heap
assert heap["pid"] == int(sys.argv[2]) and heap["exe"] == "leak" and heap["thread"] == heap["pid"], heap
longest = [a for a in lines if a["unit"] == "seconds"][0]
assert longest["severity"] == "warning" and longest["section"] == "round", longest
errors = [a for a in lines if a["rule"] == "errors(round) > 5%"][0]
assert errors["unit"] == "fraction" and 0.05 < errors["value"] < 0.2, errors
END

# A pipe with a reader, without one, and one that is full.
mkfifo pipe
timeout 20 cat pipe >got &
reader=$!
exec 7>pipe # held open, so that the reader stays
leaks 1 PERFSHIM_ALERT_TO="$PWD/pipe"
exec 7>&-
wait $reader
equal 3 "$(grep -c '"rule":' got)" 'the alerts that came through the pipe'
leaks 1 PERFSHIM_ALERT_TO="$PWD/pipe"
equal 137 "$(<shim.status)" 'the status with a pipe that nobody reads'
exec 7<>pipe
dd if=/dev/zero of=pipe bs=65536 count=1 oflag=nonblock 2>/dev/null
leaks 1 PERFSHIM_ALERT_TO="$PWD/pipe"
equal 137 "$(<shim.status)" 'the status with a full pipe'
exec 7>&-
"$B/perfreport" --metrics - "rec/leak.$leak."* >metrics
has "$(<metrics)" 'perfshim_alerts_undelivered_total\{[^}]*\} 3' 'the metrics of alerts that a full pipe did not take'

# stderr that is full: a pipe that nobody empties.
mkfifo errors
exec 7<>errors
dd if=/dev/zero of=errors bs=65536 count=1 oflag=nonblock 2>/dev/null
timeout -s KILL 1 env LD_PRELOAD="$LIB" PERFSHIM_ALERT="$rules" PERFSHIM_REPORT=none "$T/leak" small 50 2>errors
equal 137 $? 'the status with a full stderr'
exec 7>&-

# A UNIX datagram socket.
python3 - <<'END' &
import json, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("socket")
s.settimeout(20)
got = [json.loads(s.recv(4096)) for _ in range(3)]
assert {a["rule"] for a in got} == {"critical: heap > 1M", "section(round).max > 1ns", "errors(round) > 5%"}, got
END
listener=$!
for ((i = 0; i < 200; i++)); do [ -S socket ] && break; sleep 0.02; done
leaks 1 PERFSHIM_ALERT_TO="unix:$PWD/socket"
wait $listener || fail 'three alerts through the socket'

# A socket that is full, since its owner does not read, and one that nobody has.
cat >full.py <<'END'
import os, socket, time
owner = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
owner.bind("full")
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.setblocking(False)
try:
    while True:
        sender.sendto(b"x" * 4096, "full")
except BlockingIOError:
    os.mkdir("full.is")
time.sleep(60)
END
python3 full.py &
owner=$!
for ((i = 0; i < 200; i++)); do [ -d full.is ] && break; sleep 0.02; done
for socket in full nobody; do
	leaks 1 PERFSHIM_ALERT_TO="unix:$PWD/$socket"
	equal 137 "$(<shim.status)" "the status with the socket $socket"
	"$B/perfreport" --metrics - "rec/leak.$leak."* >metrics
	has "$(<metrics)" 'perfshim_alerts_undelivered_total\{[^}]*\} 3' "the metrics of alerts to the socket $socket"
done
kill $owner

# A log that is rotated, a directory that goes and comes back: what is opened for
# the moment finds what is there.
rm -rf rec
mkdir logs
run_shim PERFSHIM_ALERT='heap > 4M; heap > 60M; heap > 120M; heap > 300M' PERFSHIM_ALERT_TO="$PWD/logs/a" \
	timeout -s KILL 10 "$T/leak" large 3000 &
# comes FILE WORD: within eight seconds.
comes()
{
	local i
	for ((i = 0; i < 400; i++)); do grep -qs "$2" "$1" && return; sleep 0.02; done
	fail "$2 in $1" "$(cat "$1" 2>&1)"
}
comes logs/a 'heap > 4M'
mv logs/a logs/a.1
comes logs/a 'heap > 60M'
mv logs logs.gone
# undelivered: some process of rec has an alert that nobody took.
undelivered()
{
	"$B/perfreport" --metrics - rec | grep -q 'perfshim_alerts_undelivered_total{.*exe="leak"} [1-9]'
}
for ((i = 0; i < 100; i++)); do undelivered && break; sleep 0.05; done
mkdir logs
comes logs/a 'heap > 300M'
kill -TERM "$(<shim.pid)"
wait $!
grep -q 'heap > 120M' logs/a && fail 'no alert in a directory that was gone' "$(<logs/a)"

# A bad rule is one line that says where; the program runs.
run shim env LD_PRELOAD="$LIB" PERFSHIM_REPORT=none PERFSHIM_ALERT='heap > 1G; rss > 80%' /bin/echo fine
equal 0 "$(<shim.status)" 'the status with a bad rule'
equal fine "$(<shim.out)" 'the output with a bad rule'
equal 'perfshim: PERFSHIM_ALERT: column 21: allowed here: of limit; no rule is watched' "$(<shim.err)" 'the line about a bad rule'

# A forked child has its own recording, its own sums and its own alerts.
rm -rf rec
cat >fork.py <<'END'
import os
blocks = [bytearray(100000) for _ in range(300)]
pid = os.fork()
if pid == 0:
    blocks = [bytearray(100000) for _ in range(300)]
    os._exit(0)
os.waitpid(pid, 0)
END
run_shim PERFSHIM_ALERT='heap > 20M' PERFSHIM_ALERT_TO="$PWD/fork.alerts" python3 fork.py
equal 0 "$(<shim.status)" 'the status of a program that forks'
equal 2 "$(sed 's/.*"pid":\([0-9]*\).*/\1/' fork.alerts | sort -u | wc -l)" 'the processes that raised an alert'
for file in rec/python3*.perfshim; do
	"$B/perfreport" --alerts "$file" | grep -c . >count
	equal 1 "$(<count)" "the alerts in $file"
done

# No thread, no descriptor, no signal: what the host can see is unchanged.
cat >host.py <<'END'
import os, signal, time
kept = []
for i in range(20):
    kept.append(bytearray(1 << 20))
    time.sleep(0.03)
print(sorted(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))
print([signal.getsignal(s) for s in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGALRM)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
END
run_bare python3 host.py
run_shim PERFSHIM_ALERT='heap > 5M; rss > 1M; heap grows > 1K/s over 1s' PERFSHIM_METRICS="$PWD/m.prom" \
	PERFSHIM_ALERT_TO="$PWD/host.alerts" python3 host.py
same_output stderr
[ "$(wc -l <host.alerts)" -ge 2 ] || fail 'alerts while the host was looked at' "$(<host.alerts)"
[ -s m.prom ] || fail 'metrics of the host'
