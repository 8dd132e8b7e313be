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
