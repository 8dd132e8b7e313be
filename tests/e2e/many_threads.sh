#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 100 000 short threads leave nothing behind, and threads on all cores do at
# least what one does.
. "$E2E/lib.sh"

run_shim "$T/bend" short 50000
equal 0 "$(<shim.status)" 'the status of 100 000 threads'
read -r kib maps <shim.out
[ "$kib" -le 1024 ] || fail 'at most 1 MiB more after 90 000 threads than after 10 000' "$kib KiB"
[ "$maps" -le 20 ] || fail 'no mappings that stay' "$maps more"
json
expect 'process["threads"] >= 100000'

run_shim "$T/bend" scaling
percent=$(<shim.out)
[ "$percent" -ge 90 ] || fail "all cores' threads to do what one does" "$percent %"
