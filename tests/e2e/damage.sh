#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that misuses the heap ends at once, with one line that says how.
. "$E2E/lib.sh"

# dies HOW SIZE WORDS [VAR=VALUE]
dies()
{
	run_shim "${@:4}" "$T/damage" "$1" "$2"
	equal 134 "$(<shim.status)" "the status after $1 $2 (SIGABRT)"
	equal before "$(<shim.out)" "the stdout until $1 $2"
	equal 1 "$(wc -l <shim.err)" "lines on stderr after $1 $2"
	has "$(<shim.err)" "^perfshim: [a-z]+\(0x[0-9a-f]+\): .*$3" "what is said of $1 $2"
}
ulimit -c 0
for size in 48 100 1000 20000; do
	dies twice "$size" 'double free'
done
# Blocks of another kind are looked at each time: every one, with every one sampled.
dies twice 100 'double free' PERFSHIM_SAMPLE=all
dies later 100 'double free' PERFSHIM_SAMPLE=all
dies inside 100 'not the start of a block' PERFSHIM_SAMPLE=all
dies odd 100 'not the start of a block' PERFSHIM_SAMPLE=all
# Plain ones when they go back to their pages.
dies inside-many 100 'not the start of a block'
dies written-many 100 'written to after it was freed'
# Nothing wrong: nothing said.
run_both "$T/damage" nothing 100
equal '' "$(<shim.err)" 'stderr of a program without fault'
