#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that misuses the heap ends at once, with one line that says how.
. "$E2E/lib.sh"

# dies HOW SIZE WORDS [VAR=VALUE]
dies()
{
	run_shim "${@:4}" "$T/damage" "$1" "$2"
	equal 134 "$(<shim.status)" "the status after $1 $2 ${*:4} (SIGABRT)"
	equal before "$(<shim.out)" "the stdout until $1 $2"
	equal 1 "$(wc -l <shim.err)" "lines on stderr after $1 $2"
	has "$(<shim.err)" "^perfshim: [a-z]+(\(0x[0-9a-f]+\))?: .*$3" "what is said of $1 $2"
}
ulimit -c 0
for size in 48 100 1000 20000; do
	dies twice "$size" "double free.*\(in a page of blocks of [0-9]+ bytes\); run it with PERFSHIM_HARDEN"
done
# Blocks of another kind are looked at each time: every one, with every one sampled;
# and then there is the stack that made them.
made='\(in a page of blocks of 112 bytes\), allocated by make_block \(damage\+0x[0-9a-f]+\) < .*main \(damage'
dies twice 100 "double free.*$made" PERFSHIM_SAMPLE=all
dies later 100 "double free.*$made" PERFSHIM_SAMPLE=all
dies inside 100 "not the start of a block.*$made" PERFSHIM_SAMPLE=all
dies odd 100 "not the start of a block.*$made" PERFSHIM_SAMPLE=all
dies realloc-inside 100 "not the start of a block.*$made" PERFSHIM_SAMPLE=all
has "$(<shim.err)" 'realloc\(0x' 'the name of the call'
# Plain ones when they go back to their pages, or their bin is used.
dies inside-many 100 'not the start of a block'
dies realloc-inside 100 'not the start of a block'
dies written-many 100 'written to after it was freed'
dies written 100 'written to after it was freed.*4141414141414141'
dies overrun 112 'the one before it overran.*4242424242424242'
dies later-used 100 'written to after it was freed'
# Larger ones, of jemalloc, at once; also where no range can be reserved for them.
for limit in unlimited 1000000; do for size in 40000 3000000; do
	ulimit -S -v "$limit"
	dies twice "$size" 'double free'
	dies later "$size" 'double free'
	dies odd "$size" 'not the start of a block'
	dies inside "$size" 'not the start of a block'
	dies page-inside "$size" 'not the start of a block'
	dies realloc-inside "$size" 'not the start of a block'
done; done
ulimit -S -v unlimited
# What never was a block.
dies stack 100 "on the thread's stack"
dies static 100 "in a program's or library's data"
dies mapped 100 'not a block of the heap'
dies unmapped 100 'not a block of the heap'
# Nothing wrong: nothing said.
for size in 100 40000; do
	run_both "$T/damage" nothing "$size"
	equal '' "$(<shim.err)" 'stderr of a program without fault'
done
