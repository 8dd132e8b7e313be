#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# neon: the kernels for 64-bit ARM, cross-compiled, pass the tests of the others
# under qemu's user emulation.
. "$E2E/lib.sh"

need aarch64-linux-gnu-gcc qemu-aarch64
root=$E2E/../..
cross=(aarch64-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -fno-math-errno
	-fno-strict-aliasing -Wall -Werror -I"$E2E/cross" -I"$root/lib" -I"$root")
echo 'int main(void) { return 0; }' >empty.c
"${cross[@]}" -o empty empty.c 2>empty.err || skip 'there is no C library for aarch64'

"${cross[@]}" -o simd "$E2E"/cross/main.c "$root"/tests/unit/test_{simd,matrix}.c \
	"$root"/lib/simd/*.c "$root"/lib/base/{base,filter,os,os_file,os_message,os_pages,text,text_number,text_quote,vdso}.c -lpthread -lm ||
	fail 'the kernels to compile for aarch64'

run neon qemu-aarch64 ./simd
equal 0 "$(<neon.status)" "status of the tests ($(<neon.err))"
has "$(<neon.out)" '^neon: [0-9]+ tests passed$' 'the last line'
