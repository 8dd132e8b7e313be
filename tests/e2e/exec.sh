#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# exec: both images of one process are recorded, and neither is lost.
. "$E2E/lib.sh"

run_both bash -c 'x=$(seq 1000); exec "$0" return' "$T/die"
found=$(compgen -G "rec/*.$(<shim.pid).*.perfshim" | wc -l)
equal 2 "$found" 'recordings of the images before and after exec'
for file in rec/*."$(<shim.pid)".*.perfshim; do
	"$B/perfreport" --json -o report.json "$file" || fail "perfreport to read $file"
	case $(value 'process["exe"]') in
	*/die) expect 'heap["allocations"] >= 5000' 'heap["live_bytes"] >= 5000000' ;;
	*/bash) expect 'heap["allocations"] > 0' ;;
	*) fail 'an executable that is bash or die' "$(value 'process["exe"]')" ;;
	esac
done

# An image that goes on as a program too small for a recording was not killed.
rm -rf rec
run_shim bash -c 'bash -c "exec true"; exit 0'
tree=$("$B/perfreport" --tree --no-color rec 2>&1)
has "$tree" $'\n *[0-9]+  bash +exec ' 'the tree'
hasnt "$tree" 'killed' 'the tree'

# When all is over its recording becomes a line, too: once; the first of the tree,
# and one that allocated more, keep theirs.
tidied=$("$B/perfreport" --tidy --tree --no-color rec)
hasnt "$tidied" $'\n *[0-9]+  bash ' 'the tree that is tidied'
has "$tidied" $'\n *[0-9]+ bash .*\n2 processes under 1 MiB.*1x true .*1x bash +exec .* unknown' 'the tree that is tidied'
equal 1 "$(compgen -G 'rec/*.perfshim' | wc -l)" 'recordings that stay'
equal 2 "$(wc -l <rec/small-processes.tsv)" 'lines of small images'
equal "$tidied" "$("$B/perfreport" --tidy --tree --no-color rec)" 'the tree, tidied twice'
rm -rf rec
run_shim bash -c 'bash -c "x=\$(seq 1000000); exec true"; bash -c "exec $0 return"; exit 0' "$T/die"
"$B/perfreport" --tidy --tree rec >/dev/null
equal 'bash bash die ' "$(find rec -name '*.perfshim' -printf '%f\n' | sed 's/[.].*//' | sort | tr '\n' ' ')" \
	'programs whose recordings stay'
# So does the first image of each tree in a directory.
rm -rf rec
run_shim bash -c 'exec true'
run_shim bash -c 'exec true'
"$B/perfreport" --tidy --tree rec >/dev/null
equal 'bash bash true true ' "$(find rec -name '*.perfshim' -printf '%f\n' | sed 's/[.].*//' | sort | tr '\n' ' ')" \
	'programs of two trees'
rm -rf rec
"$WRAP" --quiet -o rec bash -c 'bash -c "exec true"; exit 0' || fail 'perfwrap.sh' $?
equal 1 "$(compgen -G 'rec/*.perfshim' | wc -l)" 'recordings after perfwrap.sh'
PERFSHIM_CHILDREN=all "$WRAP" --quiet -o all bash -c 'bash -c "exec true"; exit 0'
equal 3 "$(compgen -G 'all/*.perfshim' | wc -l)" 'recordings of all'

# A file is read once, however often it is given, and a copy of it is no image that
# called exec: both stay.
rm -rf rec
run_shim bash -c 'kill -KILL $$'
file=$(recording)
for format in --json --tree --html; do
	[ "$format" = --html ] && [ ! -s "$B/page.html" ] && continue
	"$B/perfreport" --tidy "$format" -o out rec rec "$file" 2>err ||
		fail "perfreport --tidy $format to work with one directory, thrice" "$? $(<err)"
	equal '' "$(<err)" "stderr of --tidy $format"
	[ -s out ] || fail "something from --tidy $format"
done
tree=$("$B/perfreport" --tree --no-color rec "$file" rec)
equal 1 "$(grep -c killed <<<"$tree")" 'rows of a recording that is given thrice'
ln "$file" rec/link.perfshim
cp "$file" rec/copy.perfshim
cp "$file" rec/again.perfshim
tree=$("$B/perfreport" --tidy --tree --no-color rec)
equal 3 "$(grep -c killed <<<"$tree")" 'rows of a recording and two copies'
equal 4 "$(compgen -G 'rec/*.perfshim' | wc -l)" 'recordings that stay'
# So are lines; and what cannot be read is named once.
rm -rf rec
run_shim bash -c 'bash -c "exec true"; exit 0'
echo none >rec/broken.perfshim
once=$("$B/perfreport" --tidy --tree --no-color rec 2>err)
equal 1 $? 'the status with a file that cannot be read'
equal 1 "$(grep -c broken.perfshim err)" 'lines on a file that cannot be read'
has "$once" '2 processes under 1 MiB' 'the tree that is tidied'
equal "$once" "$("$B/perfreport" --tree --no-color rec rec ./rec 2>err)" 'the tree of a directory, thrice'
equal 1 "$(wc -l <err)" 'lines on a file that cannot be read, thrice'

# An exec that fails leaves the recording going.
rm -rf rec
run_both bash -c 'shopt -s execfail; exec /nonexistent/x; x=$(seq 10000); echo ${#x}'
json
expect 'process["exe"].endswith("bash")' 'heap["allocations"] > 0'
