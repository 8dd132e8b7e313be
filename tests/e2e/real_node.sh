#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: node, with its many threads and its own unwinding.
. "$E2E/lib.sh"

need node
cat >work.js <<'END'
const crypto = require('crypto');
const zlib = require('zlib');
const rows = Array.from({length: 50000}, (_, i) => ({id: i, name: 'item ' + i, list: [i, i + 1]}));
const text = JSON.stringify(rows);
console.log(text.length, JSON.parse(text).length);
console.log(crypto.createHash('sha256').update(text).digest('hex'));
const buffers = Array.from({length: 200}, (_, i) => Buffer.alloc(20000, i));
Promise.all(buffers.map(b => new Promise((ok, no) => zlib.deflate(b, (e, r) => e ? no(e) : ok(r.length)))))
  .then(sizes => console.log(sizes.length, sizes.reduce((a, b) => a + b)));
try { null.x } catch (e) { console.log(e instanceof TypeError) }
END
run_both node work.js
equal 0 "$(<shim.status)" 'the status of node'
plausible
expect 'heap["requested_bytes"] > 1e6' 'process["threads"] >= 4'

# From main through what V8 compiled, which has no tables, to the callers of malloc.
rm -rf rec
run_shim PERFSHIM_SAMPLE=all node work.js
"$B/perfreport" --folded=count -o folded "$(recording)" || fail 'perfreport'
has "$(grep -c '^node;.*node::Start.*;Builtins_JSEntry;.*;v8::internal::' folded)" '^[1-9]' 'stacks across V8'
has "$(awk '{ all += $NF; deep += split($0, frames, ";") > 8 ? $NF : 0 } END { print deep / all }' folded)" '^(0\.[89]|1$)' \
	'the share of allocations with more than 8 frames'

# Functions that V8 compiled have their names from the map that it writes for perf, if that is this user's and of this run.
# names WANTED WHAT
names()
{
	"$B/perfreport" --folded=count -o folded "$(recording)" || fail 'perfreport'
	has "$(grep -c ';JS:[^;]*work.js:[0-9]' folded)" "$1" "functions of the script $2"
}
rm -rf rec
run_shim PERFSHIM_SAMPLE=all node --perf-basic-prof work.js
map=/tmp/perf-$(<shim.pid).map
[ -s "$map" ] || fail 'a map of node' "$map"
trap 'rm -f -- "$map" "$map.kept"' EXIT
names '^[1-9]' 'in stacks'
touch -d '1 hour' "$map"
names '^0' 'by a map of an hour later'
touch -d '1 hour ago' "$map"
names '^0' 'by a map of an hour before'
touch "$map"
names '^[1-9]' 'again'
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$map"
	names '^0' 'by a map of another user'
	chown 0 "$map"
fi
mv "$map" "$map.kept" && ln -s "$map.kept" "$map"
names '^0' 'by a link'
