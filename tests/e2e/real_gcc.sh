#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: gcc -O2 on a large generated file, the same object comes out.
. "$E2E/lib.sh"

need gcc
python3 - >large.c <<'END'
print("typedef unsigned long u; struct s { u a, b, c; struct s *next; };")
for i in range(400):
    print("u f%d(struct s *p, u n) { u r = %d; for (u i = 0; i < n; i++) { p->a += i * %d; "
          "if (p->b > r) r ^= p->c + i; else p->b = r << (i & 7); p = p->next ? p->next : p; "
          "switch (i %% 5) { case 0: r += 3; break; case 1: r *= 5; break; case 3: r -= p->a; } } "
          "return r%s; }" % (i, i, i + 3, " + f%d(p, n / 2)" % (i - 1) if i else ""))
END
run_bare gcc -O2 -frandom-seed=1 -c large.c -o bare.o
run_shim gcc -O2 -frandom-seed=1 -c large.c -o shim.o
same_output stderr
cmp bare.o shim.o || fail 'the same object file'
# The driver starts cc1 (through vfork) and as; cc1 is where the memory goes.
for file in rec/*.perfshim; do
	"$B/perfreport" --json -o report.json "$file" || fail "perfreport to read $file"
	[[ $(value 'process["exe"]') == */cc1 ]] && found=$file && break
done
[ -n "${found-}" ] || fail 'a recording of cc1' "$(ls rec)"
expect 'heap["requested_bytes"] > 10e6' 'heap["allocations"] > 10000' 'heap["sites"]'
