#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh --vs and --allocators: order, words, and what is the same on all sides.
. "$E2E/lib.sh"

bench()
{
	"$WRAP" --library "$LIB" "$@" >out 2>err
}

# In turn, the second round in the opposite order of the first.
for name in a b c; do printf '#!/bin/sh\nprintf %s >>order\n' "$name" >"$name" && chmod +x "$name"; done
bench --runs 6 --warmup 0 --no-shim --vs ./b --vs ./c -- ./a
equal 0 $? 'the status of --vs'
equal abccbabcaacbcabbac "$(<order)" 'the order of runs'

# Ten times the work is ten times the section; as many allocations are the same.
bench --runs 10 --vs "$T/slower 20000 200" -- "$T/slower" 2000 100
equal 0 $? 'the status of a comparison'
has "$(<out)" 'time +B is [1-9]\.[0-9]+x slower than A, 95 % CI [0-9.]+-[0-9.]+, 10 pairs' 'time in words'
has "$(<out)" 'section:work +(B needs|no difference seen, B is) [0-9]+\.[0-9]+x (as much as )?A,' 'the section in words'
has "$(<out)" 'peak-heap +B needs (1\.9|2\.0)[0-9]+x as much as A' 'the peak heap in words'
has "$(<out)" 'cpu +B needs' 'CPU time in words'
has "$(<out)" 'peak-rss ' 'peak RSS in words'
has "$(<out)" 'machine .*drift: vector add' 'the machine beside the verdict'
bench --runs 4 --vs "$T/exact" -- "$T/exact"
has "$(<out)" 'allocations  the same, 4 pairs' 'the same allocations in words'
bench --runs 8 --vs "$T/slower 1000" -- "$T/slower" 20000
has "$(<out)" 'time +B is [1-9]\.[0-9]+x faster than A, 95 % CI' 'a faster one in words'

# A command for the shell: all go through it.
bench --runs 2 --vs 'echo a | cat >/dev/null' -- true
equal 0 $? 'the status of a pipe'
equal 2 "$(grep -c 'through sh$' out)" 'commands through sh'
bench --runs 2 --vs 'true' -- sh -c 'test "$1" = "a b"' sh 'a b'
equal 0 $? 'words with blanks'
bench --runs 2 --vs 'A="x y"; test "$A" = "x y"' -- sh -c 'test "$1" = "a  b"' sh 'a  b'
equal 0 $? 'words with blanks through the shell'
bench --runs 2 --vs "exit 3;" -- true
equal 1 $? 'the status when B fails'
has "$(<err)" 'exit 3;: run 1 ended with status 3' 'stderr when B fails'
bench --runs 2 --vs nosuchcommand -- true
equal 1 $? 'the status when there is no B'
has "$(<err)" 'nosuchcommand: command not found' 'stderr when there is no B'

# Allocators: those that are installed, and the shim; each is really preloaded.
cat >which.sh <<'END'
grep -oE 'lib(jemalloc|mimalloc|tcmalloc|perfshim)' /proc/self/maps | sort -u >>loaded
END
bench --runs 2 --warmup 0 --allocators -- grep -oE 'lib(jemalloc|mimalloc|tcmalloc[a-z_]*|perfshim)' /proc/self/maps
equal 1 $? 'the status when grep finds no allocator under glibc'
printf '#!/bin/sh\nexec sed -n "s/.*\\(lib[jmtp][a-z]*\\).*\\.so.*/\\1/p" /proc/self/maps >>loaded\n' >maps.sh
chmod +x maps.sh
bench --runs 2 --warmup 0 --allocators -- ./maps.sh
equal 0 $? 'the status of --allocators'
has "$(sort -u loaded | tr '\n' ' ')" 'libjemalloc .*libperfshim' 'what was loaded'
has "$(<out)" 'A  glibc.*B  jemalloc.*perfshim' 'the report of --allocators'
has "$(<out)" 'B against A  \(jemalloc against glibc\)' 'the comparison of --allocators'
