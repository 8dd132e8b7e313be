#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_reports: what the shim writes, where, and what it costs nobody.
. "$E2E/rows.sh"
need python3

row F1 bash -c 'exec 3>user.txt; echo user >&3; exec 3>&-; cat user.txt; ls -l /proc/self/fd | wc -l'
row F1 python3 -c 'import os
os.closerange(3, 300)
fd = os.open("own.txt", os.O_CREAT | os.O_RDWR, 0o600)
os.write(fd, b"user"); os.lseek(fd, 0, 0); print(fd, os.read(fd, 10))
print(sorted(os.listdir("/proc/self/fd")))'
# No descriptor is open when main begins, and none is made by a sample.
cat >first_fd.c <<'END_C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *(*volatile make)(size_t) = malloc;
int main(void)
{
	char word[8] = "";
	int fd = open("eaten.txt", O_CREAT | O_RDWR | O_TRUNC, 0600);
	int other = open("/dev/zero", O_RDONLY);
	write(fd, "user", 4);
	lseek(fd, 0, SEEK_SET);
	for (int i = 0; i < 100; i++)
		free(make(100000));
	read(fd, word, 4);
	printf("%d %d %s\n", fd, other, word);
	return 0;
}
END_C
compile gcc -O1 -w -o first_fd first_fd.c
row F2 ./first_fd
row F3 ./first_fd
cat >Makefile <<'END_MK'
all: a b
a b:
	+@$(MAKE) -s -f $(firstword $(MAKEFILE_LIST)) leaf
leaf:
	@true
END_MK
row F3 sh -c 'make -j2 2>&1 | sort' # two at a time, in any order
row F8 sh -c 'mkdir -p here && cd here && ls -A && sh -c "ls -A" && ls -A'

# Two processes of one number, in two name spaces, and one directory.
if unshare -pf --mount-proc true 2>/dev/null || unshare -Urpf true 2>/dev/null; then
	rm -rf rec && mkdir rec
	for i in 1 2 3 4; do
		LD_PRELOAD='' unshare -pf env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" \
			PERFSHIM_REPORT=none "$T/exact" >/dev/null 2>&1
	done
	found=$(compgen -G 'rec/exact.*.perfshim' | wc -l)
	equal 4 "$found" 'recordings of four processes of one number'
	note_row F11 shim 'as without'
fi
rm -rf rec && mkdir rec

# ---- reports ------------------------------------------------------------------

# hazard: R1 stdout and stderr, byte by byte (differential.sh)
# hazard: R2 streams that are closed, full or gone (closed.sh)

# Reports of processes that run at once into one file: whole, one after another.
cat >many.mk <<END_MK
all: 1 2 3 4 5 6 7 8
%:
	@$T/exact >/dev/null
END_MK
LD_PRELOAD=$LIB PERFSHIM_FORMAT=json PERFSHIM_REPORT="$PWD/all.%p.json" make -s -j4 -f many.mk >/dev/null 2>many.err
for file in all.*.json; do
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$file" || fail "a whole report in $file"
done
for i in 1 2 3 4 5 6; do
	LD_PRELOAD=$LIB PERFSHIM_REPORT="$PWD/one.txt" "$T/exact" >/dev/null &
done
wait
equal 6 "$(grep -c 'MOST ALLOCATIONS' one.txt)" 'reports in one file'
# Each is whole: no heading of another within it.
order=$(grep -oE 'MOST ALLOCATIONS|PEAK MEMORY CONSUMERS|MEMORY LEAKS' one.txt | uniq -c | awk '{ print $1 }' | sort -u)
equal 1 "$order" 'headings that follow themselves'
note_row R3 shim 'as without'

# What would be said again and again is said once.
LD_PRELOAD=$LIB PERFSHIM_REPORT=none PERFSHIM_SAMPLE=often PERFSHIM_OUT=/nowhere PERFSHIM_METRICS=/nowhere/m \
	"$T/hazard_api" overflow >/dev/null 2>said.err
[ "$(wc -l <said.err)" -le 4 ] || fail 'at most a line for each mistake' "$(head -n 6 said.err)"
hasnt "$(<said.err)" 'malloc|out of memory' 'stderr after a million refused allocations'
note_row R4 shim 'as without'

# Arguments and environment are nobody's business.
run_shim SECRET_TOKEN=hush-hush "$T/exact" --password hush-hush
! grep -aq hush-hush rec/*.perfshim || fail 'no secret in a recording'
equal 600 "$(stat -c %a "$(recording)")" 'the mode of a recording'
note_row R5 shim 'nothing told'

# A name with control characters, in each form of report.
name=$'a\e]0;x\a\nb%s%n<script>"'
cp "$T/exact" "$name"
run_shim "./$name"
file=$(recording) || fail 'a recording of a program with a hostile name' "$(ls rec)"
hasnt "$file" $'[\e\n<"%]' 'the name of its recording'
for form in --text --json --folded --prometheus; do
	"$B/perfreport" $form "$file" >hostile 2>hostile.err || continue
	! grep -q $'[\e\a]' hostile || fail "no control character in $form" "$(head -n 3 hostile | cat -v)"
	! grep -qx 'b%s%n.*' hostile || fail "no line of the name's own in $form"
done
note_row R6 shim 'escaped'
cp "$T/exact" ok
PERFSHIM_REPORT=$PWD/'r.%e' LD_PRELOAD=$LIB "./$name" >/dev/null 2>&1
equal '' "$(find . -name 'r.*' -newer ok | grep $'\e')" 'report files named by control characters'

# Memory that a program maps by itself is not the heap's, and the report says so.
cat >mapped.c <<'END_C'
#include <string.h>
#include <sys/mman.h>
int main(void)
{
	char *block = mmap(0, 50 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(block, 1, 50 << 20);
	return 0;
}
END_C
compile gcc -O1 -o mapped mapped.c
run_shim ./mapped
json
expect 'process["max_rss_bytes"] > 50e6' 'heap["peak_bytes"] < 1e6'
note_row R7 shim told

# At the end with others still at it, the live blocks are the snapshot's.
row R8 "$T/hazard_threads" exit 5
# hazard: R9 see killed_often.sh

# A clock that another preload moves is not ours.
faketime=$(find /usr/lib/*-linux-gnu -name libfaketime.so.1 2>/dev/null | head -n 1)
if [ -n "$faketime" ]; then
	rm -rf rec
	run_shim LD_PRELOAD="$LIB:$faketime" FAKETIME='@2020-01-02 00:00:00 x1000' "$T/sections"
	equal 0 "$(<shim.status)" 'the status of a program with another clock'
	json
	expect '0 < process["wall_s"] < 60' 'all(0 <= s["total_s"] < 600 for s in sections)'
	note_row R10 shim 'as without'
fi
