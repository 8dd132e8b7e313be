#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# differential: 200 commands do the same with and without the shim.
. "$E2E/rows.sh"
need python3 git gcc make curl perl

# hazard: R1 nothing on stdout and stderr
# hazard: P12 status and output are unchanged
how=(); [ "${LONG:-0}" = 1 ] && how=(long)
python3 "$E2E/differential.py" "$E2E/differential.list" "$LIB" "$PWD/work" "${how[@]}" >differ.log 2>&1 ||
	fail 'every command to do the same with and without the shim' "$(<differ.log)"
tail -n 1 differ.log
note_row R1 shim 'as without'
note_row P12 shim 'as without'
