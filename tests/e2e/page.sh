#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport --html: pages of every kind, used in a real browser.
. "$E2E/lib.sh"

need node chromium
PAGE=$E2E/../npm/page
[ "${HTML:-auto}" != off ] || skip 'built with HTML=off'

node --test "$PAGE/units.test.js" >units.log 2>&1 || fail 'the units of the page to pass' "$(grep -A12 '^not ok' units.log)"

# page NAME ARGUMENT...: perfreport --html.
page()
{
	local name=$1
	shift
	"$B/perfreport" --html -o "$name.html" "$@" 2>report.err || fail "a page of $name" "$(<report.err)"
	equal '' "$(<report.err)" "complaints about a page of $name"
}

# record NAME [VAR=VALUE...] COMMAND...: its recordings, in NAME/.
record()
{
	mkdir -p "$1"
	env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/$1" PERFSHIM_REPORT=none "${@:2}" >out 2>err ||
		fail "$1 to run" "$(<err)"
}

mkdir tree && for i in 1 2 3; do cp "$E2E"/*.sh "$E2E"/targets/*.c tree/; mv tree "tree$i" && mkdir tree; done
record index PERFSHIM_SAMPLE=8K PERFSHIM_ALERT='heap > 100K' PERFSHIM_ALERT_TO=none "$T/index" "$PWD"
page index index
"$B/perfreport" --json -o index.json index
record sections PERFSHIM_SAMPLE=all PERFSHIM_EVENTS=1000 "$T/sections"
page sections sections
"$B/perfreport" --json -o sections.json sections

cp "$T/hostile" "<b onclick>&\"'"
record hostile PERFSHIM_SAMPLE=all PERFSHIM_ALERT='section(</script>).calls > 0' PERFSHIM_ALERT_TO=none "./<b onclick>&\"'"
page hostile hostile

# A tree of processes, by executable.
"$WRAP" --library "$LIB" --quiet --sample all -o programs --html programs.html -- \
	bash -c "$T/exact; $T/exact; $T/inlined; :" >out 2>err || fail 'perfwrap.sh --html to write a page' "$(<err)"
"$B/perfreport" --json --merge --main exact -o merged.json programs

# More in one place, less in another.
record old PERFSHIM_SAMPLE=all "$T/inlined"
record new PERFSHIM_SAMPLE=all "$T/exact"
page diff --diff old new

"$WRAP" --library "$LIB" --runs 5 --save benchmark.json --html benchmark.html --vs "$T/exact" -- "$T/inlined" >out 2>err ||
	fail 'perfwrap.sh --runs --html to write a page' "$(<err)"
"$WRAP" --library "$LIB" --load 2 --rate 100 --duration 2.2s --save load.json --html load.html -- true >out 2>err ||
	fail 'perfwrap.sh --load --html to write a page' "$(<err)"

record full PERFSHIM_SAMPLE=all PERFSHIM_EVENTS=262144 "$T/full"
page full full

# Every page is one file: the shell is small, its policy allows nothing else.
shell=$(($(stat -c %s index.html) - $(sed -n 's/.*id="data">\(.*\)/\1/p' index.html | wc -c)))
[ "$shell" -lt 1000000 ] || fail 'a page of less than 1 MB without its data' "$shell"
has "$(<index.html)" "Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-" 'the page'
for licence in d3-flame-graph uplot d3-selection; do has "$(<index.html)" "$licence [0-9.]+ \(" 'the licences'; done

# Without npm, perfreport is linked with an empty page, and says what is missing.
HTML=off "$E2E/../../scripts/build-page.sh" empty.html || fail 'HTML=off to need nothing'
equal 0 "$(stat -c %s empty.html)" 'bytes of the page with HTML=off'
mkdir no_npm && for tool in bash env dirname tail cat cmp flock sed mktemp rm id; do ln -s "$(type -P "$tool")" no_npm/; done
PATH=$PWD/no_npm HTML=auto "$E2E/../../scripts/build-page.sh" empty.html 2>err || fail 'a build without npm' "$(<err)"
equal 1 "$(wc -l <err)" 'lines about a page that cannot be built'
has "$(<err)" '^perfshim: perfreport is built without --html: ' 'what is said'
PATH=$PWD/no_npm HTML=on "$E2E/../../scripts/build-page.sh" empty.html 2>err && fail 'HTML=on to insist on the page'
if gcc -c -I"$E2E/../../lib" -DPS_PAGE_SHELL="\"$PWD/empty.html\"" -o empty.o "$E2E/../../lib/report/cli_page_shell.c"; then
	mapfile -t objects < <(for c in "$E2E"/../../lib/report/*.c; do
		case ${c##*/} in perfbench* | cli_page_shell.c) ;; *) echo "$B/lib/lib/report/$(basename "$c" .c).o" ;; esac
	done)
	gcc -o bare_report "${objects[@]}" empty.o "$B/libperfcore.a" -ldw -lelf -lmicrohttpd -ljansson \
		-lncursesw -ltinfo -lz -liberty -lstdc++ -lm -lpthread || fail 'perfreport to be linked without its page'
	./bare_report --html -o none.html index 2>err
	equal 1 $? 'the status of --html without a page'
	equal 1 "$(wc -l <err)" 'lines about it'
	has "$(<err)" '^perfreport: --html: this perfreport was built without its page \(HTML=off, or no npm\)' 'what is said'
	[ -e none.html ] && fail 'no file' none.html
fi

# What is no saved result is refused in one line.
echo '{"results": [{"command": 1}]}' >wrong.json
"$B/perfreport" --html -o wrong.html wrong.json 2>err
equal 1 $? 'the status for a file that is none of ours'
has "$(<err)" '^perfreport: wrong.json: a result in it has no command$' 'what is said'

NODE_PATH=$E2E/../npm/node_modules node "$PAGE/browser.js" . >browser.log 2>&1 ||
	fail 'every step in the browser' "$(grep -A14 -v '^ok' browser.log | head -60)"
cat browser.log
