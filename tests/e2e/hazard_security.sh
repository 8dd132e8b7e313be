#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_security: privileges, places that others can write to, hostile names
# and settings; as root and, where we are root, as an ordinary user, too.
. "$E2E/rows.sh"
need gcc python3 objcopy
chmod 755 . 2>/dev/null

is_root() { [ "$(id -u)" -eq 0 ]; }
# Who can be: for a test that both should pass.
users=('')
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
is_root && type -P setpriv >/dev/null && users+=(nobody)
# as USER COMMAND...: as nobody, or as who we are.
as()
{
	local user=$1
	shift
	if [ -n "$user" ]; then "${nobody[@]}" "$@"; else "$@"; fi
}

# The library where everybody can read it: the build may be below /root.
place=$(mktemp -d /tmp/perfshim-security.XXXXXX) || fail 'a directory below /tmp'
trap 'rm -rf -- "$place"' EXIT
chmod 755 "$place"
cp "$LIB" "$T/hazard_sandbox" "$T/hazard_api" "$T/exact" "$place"
lib=$place/libperfshim.so

# ---- S1: other privileges ---------------------------------------------------------

# A root of its own, with our library in its ld.so.preload, which the loader
# obeys for set-user-ID programs, too.
if is_root && [ -n "${users[1]-}" ]; then
	root=$place/root
	mkdir -p "$root"/{bin,etc,lib,lib64,tmp,dev,proc,out} && chmod 1777 "$root/tmp" "$root/out"
	cp "$place/hazard_sandbox" "$root/bin/plain"
	for file in $(ldd "$place/hazard_sandbox" "$lib" | grep -oE '/[^ :]+\.so[^ :]*' | sort -u); do
		[ "$file" = "$lib" ] || { mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"; }
	done
	cp "$lib" "$root/lib/"
	install -m 4755 "$place/hazard_sandbox" "$root/bin/setuid"
	echo /lib/libperfshim.so >"$root/etc/ld.so.preload"
	# chroot by python: setpriv does not do it.
	in_root()
	{
		python3 - "$root" "$@" <<'END_PY'
import os, sys
os.chroot(sys.argv[1]); os.chdir("/")
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.execve(sys.argv[2], sys.argv[2:4], {"PERFSHIM_OUT": "/out", "PERFSHIM_REPORT": "/out/report.%p",
    "PERFSHIM_METRICS": "/out/m", "PERFSHIM_ALERT": "heap > 1", "PERFSHIM_ALERT_TO": "/out/alerts"})
END_PY
	}
	equal 'secure 0' "$(in_root /bin/plain secure 2>err)" 'an ordinary program with ld.so.preload'
	compgen -G "$root/out/*.perfshim" >/dev/null || fail 'its recording' "$(ls "$root/out"; cat err)"
	rm -rf "$root"/out/*
	equal 'secure 1' "$(in_root /bin/setuid secure 2>err)" 'a set-user-ID program with ld.so.preload'
	equal '' "$(<err)" 'its stderr'
	equal '' "$(ls -A "$root/out")" 'files that a set-user-ID program left by our settings'
	note_row S1 shim 'writes nothing'
else
	note_row S1 shim 'not tried: not root'
fi

# ---- S2: what others put in the way ------------------------------------------------

# obstacle KIND PATH: what somebody else put at a path of ours.  A link to a link
# of ours is one of ours, but under a name that he gave it.
obstacle()
{
	local victim=$place/victim
	case $1 in
	symlink) ln -s "$victim" "$2" ;;
	dangling) ln -s "$place/open/made" "$2" ;;
	borrowed) ln -s "$victim" "$2.ours" && chown -h "${user:+65534}" "$2.ours" && ln -P "$2.ours" "$2" ;;
	fifo) mkfifo -m 666 "$2" ;;
	hardlink) ln "$victim" "$2" ;;
	directory) mkdir "$2" ;;
	esac
	case $1 in hardlink | borrowed) ;; *) ! is_root || chown -h 1 "$2" ;; esac
}

# unharmed WHAT: nothing came through it.
unharmed()
{
	equal precious "$(<"$place/victim")" "a file that a $1 leads to, as ${user:-root}"
	[ ! -e "$place/open/made" ] || fail "no file made through a $1" "$(ls "$place/open")"
}

# attack USER: in a directory that all can write to, what somebody else put
# where the report, alerts and the lines of small processes are to go.
attack()
{
	local user=$1 out=$place/open kind
	for kind in symlink dangling borrowed fifo hardlink directory; do
		rm -rf "$out" "$place/victim" && mkdir -m 1777 "$out" && echo precious >"$place/victim"
		[ -z "$user" ] || chown 65534 "$place/victim"
		# Of an ordinary user who tests, it is all his own: links are followed.
		if ! is_root; then case $kind in symlink | dangling) continue ;; esac; fi
		for name in report alerts small-processes.tsv; do
			obstacle $kind "$out/$name"
		done
		as "$user" timeout -s KILL 20 env LD_PRELOAD="$lib" PERFSHIM_OUT="$out" PERFSHIM_REPORT="$out/report" \
			PERFSHIM_ALERT='info: heap > 1K' PERFSHIM_ALERT_TO="$out/alerts" "$place/exact" >got 2>err
		equal 0 $? "the status with a $kind in the report's place as ${user:-root}"
		equal "$("$place/exact")" "$(<got)" "the stdout with a $kind in the report's place"
		unharmed $kind
		# The recording is a new file of our own, private.
		compgen -G "$out/exact.*.perfshim" >/dev/null || fail "a recording beside the $kind" "$(ls -l "$out"; cat err)"
		equal 600 "$(stat -c %a "$out"/exact.*.perfshim)" 'the mode of a recording'
		# Small children keep their recordings, where there is no place for their lines.
		as "$user" timeout -s KILL 20 env LD_PRELOAD="$lib" PERFSHIM_OUT="$out" \
			sh -c '/bin/true; /bin/true; echo done' >got 2>err
		equal '0 done' "$? $(<got)" "a shell with a $kind in the place of small-processes.tsv"
		unharmed $kind
		equal 2 "$(compgen -G "$out/true.*.perfshim" | wc -l)" "recordings of small children beside the $kind"
	done
}
# Without anything in the way, they do get there.
rm -rf "$place/open" && mkdir -m 1777 "$place/open"
LD_PRELOAD=$lib PERFSHIM_OUT=$place/open PERFSHIM_ALERT='info: heap > 1K' PERFSHIM_ALERT_TO=$place/open/alerts \
	sh -c '/bin/true; "$0"' "$place/exact" >/dev/null 2>err
for name in alerts small-processes.tsv; do
	[ -s "$place/open/$name" ] || fail "something in $name" "$(ls -l "$place/open"; cat err)"
done
for user in "${users[@]}"; do attack "$user"; done
note_row S2 shim 'not followed'

# A directory that belongs to somebody else, who cannot write there.
if [ -n "${users[1]-}" ]; then
	mkdir -m 755 "$place/foreign"
	as nobody env LD_PRELOAD="$lib" PERFSHIM_OUT="$place/foreign" PERFSHIM_REPORT=none "$place/exact" >got 2>err
	equal 0 $? 'the status where no recording can be made'
	equal 1 "$(wc -l <err)" 'lines about it'
	equal '' "$(ls -A "$place/foreign")" 'files there'
fi

# ---- S3, S4: settings ---------------------------------------------------------------

row S3 MALLOC_CONF=bogus:1,background_thread:true,abort_conf:true "$T/hazard_sandbox" look
cat >conf.c <<'END_C'
#include <stdio.h>
#include <stdlib.h>
const char *malloc_conf = "abort_conf:true,nonsense:1";
static void *(*volatile make)(size_t) = malloc;
int main(void) { free(make(100000)); puts("ok"); return 0; }
END_C
compile gcc -rdynamic -o conf conf.c
row S3 ./conf

# Any bytes in any setting: at most a line each, and the program runs.
python3 - "$LIB" "$T/exact" "${LONG:-0}" <<'END_PY' || exit 1
import os, random, subprocess, sys
library, program, is_long = sys.argv[1], sys.argv[2], sys.argv[3] == "1"
random.seed(4)
names = ["OUT", "REPORT", "FORMAT", "SAMPLE", "DEPTH", "SECTIONS", "CALIBRATE", "ALERT", "METRICS",
         "CHILDREN", "CLOCK", "POOL", "HARDEN", "EVENTS", "ALERT_TO"]
odd = [b"", b"0x", b"-1", b"1,5", b"1e999", b"18446744073709551616", b"\xff\xfe", b"\n", b"%n%s%p%e" * 9,
       b"A" * 70000, b"512K512K", b"all,off", b"on\0off"[:2], b"../../..", b"//proc/", b" ", b"\x1b]0;x\x07"]
expected = subprocess.run([program], stdout=subprocess.PIPE).stdout
for i in range(3000 if is_long else 150):
    env = {b"LD_PRELOAD": library.encode(), b"PERFSHIM_REPORT": b"none"}
    for name in random.sample(names, random.randint(1, 4)):
        if name == "REPORT":
            continue
        value = random.choice(odd) if random.random() < .6 else bytes(
            random.randint(1, 255) for _ in range(random.randint(0, 40)))
        env[b"PERFSHIM_" + name.encode()] = value.replace(b"\0", b"")
    p = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if p.returncode != 0 or p.stdout != expected or p.stderr.count(b"\n") > 10 or b"\x1b" in p.stderr:
        print("EXPECTED the program to run whatever the settings\nGOT     ", p.returncode, p.stderr.count(b"\n"),
              p.stdout == expected, b"\x1b" in p.stderr, env, p.stderr[-300:])
        sys.exit(1)
END_PY
note_row S4 shim 'as without'

# ---- S5: a recording that is cut short while it is read ---------------------------------

# It is mapped before perfreport opens its output, which waits for who reads that.
for form in --text --json --pprof; do
	rm -rf rec out.pipe && run_shim PERFSHIM_SAMPLE=all "$T/exact"
	file=$(recording) && mkfifo out.pipe
	"$B/perfreport" $form -o out.pipe "$file" 2>err &
	until grep -q "${file##*/}" "/proc/$!/maps"; do sleep 0.02; done
	truncate -s 4096 "$file"
	cat out.pipe >got
	wait $!
	equal 1 $? "the status of perfreport $form of a recording that is cut meanwhile"
	has "$(<err)" 'cut short while it was read' "what perfreport $form says of it"
done
note_row S5 shim refused

# ---- S6: names -----------------------------------------------------------------------

for user in "${users[@]}"; do
	for name in $'a\nb' $'x\e[2J' '%s%n%p' '..x' '-rf' 'a b;c' "$(printf 'n%.0s' {1..200})"; do
		rm -rf -- "${place:?}/named" "${place:?}/bin" && mkdir -m 1777 "$place/named" && mkdir -m 755 "$place/bin"
		cp "$place/exact" "$place/bin/$name"
		as "$user" env LD_PRELOAD="$lib" PERFSHIM_OUT="$place/named" \
			PERFSHIM_REPORT="$place/named/r.%e" PERFSHIM_METRICS="$place/named/m.%e" \
			"$place/bin/$name" >got 2>err
		equal 0 $? "the status of a program named $(printf %q "$name")"
		equal '' "$(<err)" 'its stderr'
		(cd "$place/named" && for file in *; do
			[[ $file =~ ^[A-Za-z0-9._+-]+$ ]] || fail 'harmless file names' "$(printf %q "$file")"
		done) || exit 1
		equal 3 "$(find "$place/named" -type f | wc -l)" "files of a program named $(printf %q "$name")"
		cat "$place/named"/r.* >report
		! grep -q $'\e' report || fail 'no escape in a report'
	done
	# argv[0] is the program's to choose.
	as "$user" env LD_PRELOAD="$lib" PERFSHIM_OUT="$place/named" PERFSHIM_REPORT=none \
		bash -c 'exec -a "$1" "$2"' _ $'../../../tmp/x\e]0;y\a' "$place/exact" >got 2>err
	equal 0 $? 'the status with a hostile argv[0]'
done
note_row S6 shim harmless

# ---- S7: the reader, as root, of whatever a user left ---------------------------------

# ends PATH WHAT: perfreport comes to an end by itself, at PATH, with a line.
ends()
{
	local status
	timeout -s KILL 20 "$B/perfreport" --text "$1" >got 2>err </dev/null
	status=$?
	[ $status -lt 124 ] || fail "perfreport to end on $2" "status $status"
	[ "$(wc -l <err)" -ge 1 ] || fail "a line about $2"
}
rm -rf bad && mkdir bad && mkfifo bad/a.1.1.perfshim && ln -s /dev/zero bad/b.1.1.perfshim &&
	truncate -s 1T bad/c.1.1.perfshim && mkdir bad/d.1.1.perfshim
ends bad 'what is no recording'
ends bad/a.1.1.perfshim 'a pipe'
# In the place of the lines of small processes, and of the files that a recording
# or a file of its names.
rm -rf rec && cp "$T/exact" linked
compile objcopy --only-keep-debug linked linked.debug
compile objcopy --strip-all --add-gnu-debuglink=linked.debug linked
run_shim PERFSHIM_SAMPLE=all ./linked
report
report_has 'exact.c:'
in_place()
{
	rm -rf -- "$2"
	case $1 in
	pipe) mkfifo "$2" ;;
	device) ln -s /dev/zero "$2" ;;
	directory) mkdir "$2" ;;
	terabyte) truncate -s 1T "$2" ;;
	esac
}
for what in pipe device directory terabyte; do
	in_place $what rec/small-processes.tsv
	ends rec "a $what in the place of small-processes.tsv"
	has "$(<got)" 'MOST ALLOCATIONS' "the report beside a $what"
	rm -rf rec/small-processes.tsv
	mkdir -p .debug
	for at in linked.debug .debug/linked.debug; do
		in_place $what $at
		timeout -s KILL 20 "$B/perfreport" --text rec >got 2>err </dev/null
		equal 0 $? "the status with a $what as $at"
		rm -rf -- $at
	done
	mv linked away
	in_place $what linked
	ends rec "a $what in the place of a program"
	rm -rf linked && mv away linked
done
note_row S7 shim refused
