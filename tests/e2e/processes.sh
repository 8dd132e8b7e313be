#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# trees of processes: what matters has a recording of its own, what is too small
# leaves a line, a parent's figures are what they would be alone.
. "$E2E/lib.sh"

files()
{
	find "$1" -name '*.perfshim' | wc -l
}

# ---- a build: the compilers matter, drivers and shells do not ---------------
need gcc make
for ((i = 0; i < 30; i++)); do
	printf 'int f%d(int n) { int r = %d; while (n-- > 0) r += n * r; return r; }\n' $i $i >"f$i.c"
done
echo 'int f7(int); int main(void) { return f7(0) != 7; }' >main.c
cat >Makefile <<'END'
OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(OBJECTS); gcc -o $@ $(OBJECTS) && ./$@
%.o: %.c; gcc -O1 -c -o $@ $<
END
run_shim make -j2
equal 0 "$(<shim.status)" 'the status of make'
json
expect 'process["exe"].endswith("make")'
compiled=$(find rec -name 'cc1.*.perfshim' | wc -l)
equal 31 "$compiled" 'recordings of cc1, one for each file'
equal 0 "$(find rec -name '*gcc*.perfshim' -o -name 'program*.perfshim' | wc -l)" 'recordings of drivers'
drivers=$(grep -c $'\t''[^\t]*gcc[^\t/]*$' rec/small-processes.tsv)
equal 32 "$drivers" 'lines of gcc'
tree=$("$B/perfreport" --tree --no-color rec 2>&1)
has "$tree" $'\n *32x [^ ]*gcc[^ ]* +exit 0 ' 'the tree'
has "$tree" $'\n *1x program +exit 0 ' 'the tree'
# Below make, though the drivers between them left lines only.
equal 31 "$(grep -cE '^ *[0-9]+  cc1 ' <<<"$tree")" 'compilers below make'
equal 0 "$(awk 'length > 80' <<<"$tree" | wc -l)" 'lines of more than 80 columns'
merged=$("$B/perfreport" --merge --main cc1 --no-color rec 2>&1)
has "$merged" 'MERGED  31 processes of cc1' 'the merged report'
has "$merged" $'\n *31 +0  cc1 ' 'its table'
has "$merged" $'\n *32 +32  [^ ]*gcc' 'its table'

# With a file of each: make, and gcc, cc1 and as for each of two.
rm -rf rec f1.o f2.o
run_shim PERFSHIM_CHILDREN=all make -j2 f1.o f2.o
equal 7 "$(find rec -type f | wc -l)" 'files with PERFSHIM_CHILDREN=all'
equal 7 "$(files rec)" 'recordings with PERFSHIM_CHILDREN=all'

# ---- fork without exec ------------------------------------------------------
figures='[heap[k] for k in ("allocations", "frees", "requested_bytes", "live_bytes", "live_blocks", "peak_bytes")]'
for mode in all auto; do
	rm -rf rec
	run_shim PERFSHIM_SAMPLE=$mode "$T/litter" 0
	json
	alone=$(value "$figures")
	equal 1 "$(files rec)" 'recordings of one process'
	rm -rf rec
	run_shim PERFSHIM_SAMPLE=$mode "$T/litter" 4
	json
	equal "$alone" "$(value "$figures")" "figures of a parent that forks, sampling $mode"
	# Four that were killed with much, and the parent; the others left a line.
	equal 5 "$(files rec)" 'recordings of a parent and four that matter'
	equal 4 "$(grep -c $'\t3\t.*/litter$' rec/small-processes.tsv)" 'lines of the children that left with 3'
	equal 4 "$(grep -c '/true$' rec/small-processes.tsv)" 'lines of true'
	parent=$(<shim.pid)
	for file in rec/litter.*.perfshim; do
		[[ $file == *".$parent."* ]] && continue
		"$B/perfreport" --json -o report.json "$file" || fail "perfreport to read $file"
		expect "process[\"ppid\"] == $parent" 'heap["requested_bytes"] > 3e6' \
			'heap["allocations"] > 30000' 'not sites("parent_allocate")' 'sites("child_allocate")'
	done
	tree=$("$B/perfreport" --tree --no-color rec 2>&1)
	has "$tree" $'\n *4x litter +4 failed ' 'the tree'
	has "$("$B/perfreport" --merge --no-color rec 2>&1)" 'left out: 4 of less than 1 MiB' 'the merged report'
done

# ---- the first of a tree has its recording, however small ---------------------
# Also below perfwrap.sh that is itself below the shim, in another directory.
rm -rf rec
run_shim "$WRAP" --library "$LIB" -o inner --report inner.txt -- "$T/die" return
has "$(<inner.txt)" 'perfshim +die ' 'the report of a command below another shim'
rm -rf rec
run_shim PERFSHIM_REPORT=none true
equal 1 "$(files rec)" 'recordings of a small program'

# A directory with lines only, and one with a line that is none.
rm rec/*.perfshim
printf '1\t7\t1\t0\t1\t1000\t1\t1\t4096\t64\t5\t100\t/bin/true\nno line\n' >rec/small-processes.tsv
tree=$("$B/perfreport" --no-color rec) || fail 'perfreport to read lines alone' "$tree"
has "$tree" $'\n *1x true +exit 0 .*\n1 line of small processes damaged' 'the table of lines alone'

# Without children there is neither file nor line.
rm -rf rec
run_shim PERFSHIM_CHILDREN=off bash -c "$T/litter 1; true"
equal 1 "$(files rec)" 'recordings with PERFSHIM_CHILDREN=off'
[ ! -e rec/small-processes.tsv ] || fail 'no lines with PERFSHIM_CHILDREN=off'
