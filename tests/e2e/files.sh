#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# output files: a descriptor that the program opens is never written by us.
. "$E2E/lib.sh"

need bash
run_shim bash -c 'for i in 3 4 5 6 7 8 9; do eval "exec $i>f$i"; echo user >&$i; done'
equal 0 "$(<shim.status)" 'the status of a shell that opens 3 to 9'
recorded
for i in 3 4 5 6 7 8 9; do
	equal user "$(<"f$i")" "the content of the file on descriptor $i"
done

# Descriptor 2 becomes the user's file: a bare preload must not report into it.
LD_PRELOAD=$LIB bash -c 'exec 2>f2; echo user >&2' >out 2>err
equal user "$(<f2)" 'the content of the file that descriptor 2 became'
equal '' "$(<out)" 'the stdout'

LD_PRELOAD=$LIB python3 -c '
import os
os.closerange(0, 256)
for i in range(5):
    assert os.open("p%d" % i, os.O_CREAT | os.O_WRONLY, 0o600) == i
for i in range(5):
    os.write(i, b"user")
' >out 2>err
for i in 0 1 2 3 4; do
	equal user "$(<"p$i")" "the content of the file on descriptor $i"
done

# The current directory stays as it was.
mkdir here && (cd here && LD_PRELOAD=$LIB ls >/dev/null 2>&1)
equal '' "$(ls here)" 'files that a bare preload left in the current directory'
