#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport --watch in a terminal: what it shows, its keys, and that the process
# which is watched does not notice.
. "$E2E/lib.sh"

need tmux
mkdir rec
start()
{
	env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none PERFSHIM_ALERT_TO=none \
		PERFSHIM_ALERT='heap > 1M; section(round).max > 1ns' "$@" >/dev/null 2>&1 &
}
start "$T/leak" small 500
leak=$!
start bash -c 'exec sleep 60'
sleeper=$!
terminal()
{
	tmux -S "$PWD/tmux" "$@"
}
trap 'terminal kill-server 2>/dev/null; kill $leak $sleeper ${late-} 2>/dev/null' EXIT
export TERM=xterm
terminal -f /dev/null new-session -d -x 110 -y 40 "$B/perfreport --watch rec; echo status \$?; sleep 60"

# shows REGEX: the screen comes to match within five seconds.
shows()
{
	local i
	for ((i = 0; i < 50; i++)); do
		screen=$(terminal capture-pane -p)
		[[ $screen =~ $1 ]] && return
		sleep 0.1
	done
	fail "a screen that matches: $1" "$screen"
}

shows "$leak leak +running +[0-9.]+ MiB +[0-9.]+ [KM]iB/s +[0-9.]+( k)?/s +[0-9.]+ MiB +1 +2"
shows 'MEMORY IN USE.*forget < main'
shows 'round +[0-9.]+ +[0-9.]+ .s +[0-9.]+ .s'
shows 'ALERTS.*heap > 1M: 1\.'
shows 'section\(round\)\.max > 1ns: in round: [0-9.]+ .?s, threshold 1\.00 ns, by main'
shows "$sleeper sleep +running"
shows "$sleeper bash +gone"
# The first line is the chosen process: with the leak on top, its sites.
terminal send-keys j
sleep 1.2
screen=$(terminal capture-pane -p)
hasnt "$screen" 'forget < main' 'the screen when the other process is chosen'
terminal send-keys k
shows 'forget < main'
# Sorting goes round; by pid, the lower one comes first.
terminal send-keys s s s s
shows 'by pid'
shows "$leak leak.*$sleeper sleep"
# Filtering, and giving it up.
terminal send-keys / sle
shows '/sle_'
hasnt "$screen" "$leak leak" 'the screen with a filter'
terminal send-keys Escape
shows "$leak leak"
# A pause: the figures stand still.
terminal send-keys p
shows PAUSED
before=$(terminal capture-pane -p)
sleep 1.5
equal "$before" "$(terminal capture-pane -p)" 'the same screen while it is paused'
terminal send-keys p
# A report of the moment; the filter has chosen the other process.
terminal send-keys k
shows 'forget < main'
terminal send-keys w
shows "wrote perfshim-$leak-[0-9]+\.txt"
has "$(cat perfshim-"$leak"-*.txt)" 'leak  pid .*forget' 'the report that was written'
# A small terminal is drawn into, not over.
terminal resize-window -x 30 -y 6
sleep 1.3
shows "$leak leak"
# The usual one has every column.
terminal resize-window -x 80 -y 24
sleep 1.3
shows "pid name .* state .* heap .* growth .* allocs .* RSS thrd alerts"$'\n'".*$leak leak +running .* 1 +2"
terminal resize-window -x 110 -y 40
# It ends, and new ones come.
kill -KILL $leak
shows "$leak leak +gone"
start "$T/leak" small 1000
again=$!
shows "$again leak +running"
kill $again
# No cost: the process that was watched has no idea; its directory neither.
equal "$(find rec -name '*.perfshim' | wc -l)" "$(find rec -type f | wc -l)" 'only recordings in the directory'
terminal send-keys q
shows 'status 0'

# Libraries that come while their process is watched: its symbols are read anew.
mkdir late plugins
for i in {1..9}; do cp "$T/libplugin.so" plugins/"$i".so; done
mkfifo go
env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/late" PERFSHIM_REPORT=none PERFSHIM_SAMPLE=all \
	"$T/late_plugins" plugins/*.so <go &
late=$!
exec 5>go
terminal new-window "$B/perfreport --watch late; echo status \$?; sleep 60"
shows "$late late_plugins +running"
shows 'MEMORY IN USE.*keep < main'
echo >&5
shows 'plugin_section'
sleep 1.2
shows "$late late_plugins +running.*keep < main"
echo >&5
shows "$late late_plugins +gone"
terminal send-keys q
shows 'status 0'

"$B/perfreport" --watch rec </dev/null >out 2>err
equal 2 $? 'the status without a terminal'
has "$(<err)" 'needs a terminal' 'the line about it'
