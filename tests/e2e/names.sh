#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# names of functions: without .debug_aranges, from a separate debug file, of Rust;
# never from the network, and never from another build.
. "$E2E/lib.sh"

need gcc objcopy strip strace
cat >kept.c <<'END'
#include <stdlib.h>
void *volatile sink;
__attribute__((always_inline)) static inline void inner(void)
{
	sink = malloc(5000);
}
__attribute__((noinline)) void keep(void)
{
	for (int i = 0; i < 100; i++)
		inner();
}
int main(void)
{
	keep();
	return 0;
}
END
# named [OPTION...]: the text of the last run.
named()
{
	text=$("$B/perfreport" --no-color "$@" "$(recording)" 2>err)
}

gcc -g -O1 -o kept kept.c || fail 'to compile'
objcopy --remove-section .debug_aranges kept bare
! readelf -SW bare | grep -q aranges || fail 'no .debug_aranges'
run_shim PERFSHIM_SAMPLE=all ./bare
named
report_has 'inner +inlined at kept.c:5' 'keep +at kept.c:10' 'main +at kept.c:14'

# The debug file is beside the program, which has no symbol of its own.
objcopy --only-keep-debug kept kept.debug
strip -o apart kept && objcopy --add-gnu-debuglink=kept.debug apart
run_shim PERFSHIM_SAMPLE=all ./apart
named
report_has 'inner +inlined at kept.c:5' 'keep +at kept.c:10'

# The debug file of another build is not taken for it, nor is another program.
sed 's/5000/6000/; s/^#include/\n\n&/' kept.c >other.c
gcc -g -O1 -o other other.c && objcopy --only-keep-debug other kept.debug
named
hasnt "$text" 'kept.c|other.c' 'the report with the debug file of another build'
cp other bare.new && run_shim PERFSHIM_SAMPLE=all ./bare && mv bare.new bare
named
has "$(<err)" 'bare is not the file that was recorded' 'the complaint'
hasnt "$text" 'other.c' 'the report with another program in its place'

# No word to a server that is named, unless --debuginfod asks for it.
strip -o stripped kept
run_shim PERFSHIM_SAMPLE=all ./stripped
export DEBUGINFOD_URLS=http://127.0.0.1:9/ DEBUGINFOD_TIMEOUT=1 DEBUGINFOD_CACHE_PATH=$PWD/cache
strace -f -e trace=network -o trace "$B/perfreport" --no-color "$(recording)" >out 2>err || fail 'perfreport'
# (libcurl, which libdw brings along, makes a socketpair for itself)
equal '' "$(grep -E 'connect\(|AF_INET' trace)" 'network calls of perfreport'
if ldconfig -p | grep -q libdebuginfod; then
	strace -f -e trace=network -o trace "$B/perfreport" --debuginfod --no-color "$(recording)" >out 2>err
	has "$(<trace)" 'connect\(.*127.0.0.1' 'the network calls with --debuginfod'
fi
unset DEBUGINFOD_URLS

type -P rustc >/dev/null || exit 0
cat >kept.rs <<'END'
mod shelf {
    pub trait Keep { fn keep(&mut self, bytes: usize); }
    pub struct Shelf(pub Vec<Box<[u8]>>);
    impl Keep for Shelf {
        #[inline(never)]
        fn keep(&mut self, bytes: usize) { self.0.push(vec![1u8; bytes].into_boxed_slice()); }
    }
}
use shelf::Keep;
fn main() {
    let mut shelf = shelf::Shelf(Vec::new());
    (0..200).for_each(|i| shelf.keep(3000 + i));
    println!("{}", shelf.0.len());
}
END
rustc --edition 2021 -g -O -o rusty kept.rs >rustc.log 2>&1 || fail 'rustc to build' "$(head -n 5 rustc.log)"
run_shim PERFSHIM_SAMPLE=all ./rusty
named
"$B/perfreport" --folded=allocated -o folded "$(recording)" 2>err
grep -q ';<[a-z]*::shelf::Shelf as [a-z]*::shelf::Keep>::keep;' folded ||
	fail 'the names of Rust in folded stacks' "$(cut -c 1-300 folded)"
hasnt "$(<folded)" '17h[0-9a-f]{16}|_ZN|_R[A-Z]' 'names that are not demangled'
# The report begins where the program called into Rust's library.
frames=$(sed -n '/^MOST ALLOCATIONS/,/^   2 /p' <<<"$text")
has "$frames" $'in all\n *alloc::vec::from_elem .*\n *<[a-z]*::shelf::Shelf as [^\n]*at kept.rs:6' 'the frames told'

# A process is named as it was started, when that is a name of its executable: by
# a link, not by a script; so are its stacks, where nothing is known of their lines.
strip -o exact "$T/exact" && ln -s exact started-as
printf '#!/bin/bash\nexit 0\n' >script && chmod +x script
rm -rf rec
run_shim PERFSHIM_CHILDREN=all PERFSHIM_SAMPLE=all ./started-as
run_shim PERFSHIM_CHILDREN=all ./script
equal 'bash started-as' "$(cd rec && printf '%s\n' * | sed -n '/^env\./!s/\..*//p' | sort -u | paste -sd ' ')" 'names'
"$B/perfreport" --no-color rec/started-as.* >text 2>&1
has "$(<text)" 'perfshim  started-as ' 'the name in the report'
has "$(<text)" ' in started-as' 'where the frames are'
hasnt "$(<text)" ' in exact' 'where the frames are'
