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

# An exec that fails leaves the recording going.
run_both bash -c 'shopt -s execfail; exec /nonexistent/x; x=$(seq 10000); echo ${#x}'
json
expect 'process["exe"].endswith("bash")' 'heap["allocations"] > 0'
