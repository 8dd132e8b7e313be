#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make install: what is installed works from its place, and goes away again.
. "$E2E/lib.sh"

need gcc pkg-config
root=$E2E/../..
installer()
{
	DESTDIR=$PWD/dest PREFIX=/opt/perf LIBDIR=/opt/perf/lib64 VERSION=1.2.3 \
		"$root/scripts/install.sh" "$@" 2>&1
}
log=$(installer) || fail 'install.sh to succeed' "$log"
for file in lib64/libperfshim.so lib64/libperfcore.a lib64/pkgconfig/perfshim.pc bin/perfreport \
	bin/perfwrap.sh bin/perfwrap include/perfshim.h include/perfshim/base/base.h \
	share/man/man1/perfwrap.1 share/man/man7/perfshim-rules.7 \
	share/perfshim/prometheus-rules.yml share/perfshim/grafana-dashboard.json; do
	[ -e "dest/opt/perf/$file" ] || fail "an installed $file" "$(find dest -type f | head)"
done

# As if it had been moved to its place: the wrapper finds what belongs to it.
mv dest/opt/perf moved && mkdir -p dest/opt
sed -i "s|/opt/perf|$PWD/moved|" moved/bin/perfwrap.sh moved/lib64/pkgconfig/perfshim.pc
moved/bin/perfwrap --sample all -- "$T/exact" >out 2>err
equal 0 $? 'the status under the installed wrapper'
has "$(<err)" 'keep_small' 'the report of the installed wrapper'

# A C program against the installed header and library.
cat >use.c <<'END'
#include <perfshim.h>
#include <stdio.h>
#include "measure/stat.h"
#include "pool/typed.h"
static struct perfshim_pool numbers;
int main(void)
{
	struct ps_stat stat = {0};
	int *number;
	if (perfshim_pool_init(&numbers, sizeof(*number), 0, 0) != 0)
		return 1;
	number = perfshim_pool_alloc_zeroed(&numbers);
	*number += 7;
	PERFSHIM_SECTION("use") { ps_stat_record(&stat, 30); ps_stat_record(&stat, 50); }
	printf("%d %d\n", (int)stat.mean, *number);
	perfshim_pool_free(&numbers, number);
	perfshim_pool_fini(&numbers);
	return 0;
}
END
export PKG_CONFIG_PATH=$PWD/moved/lib64/pkgconfig
equal 1.2.3 "$(pkg-config --modversion perfshim)" 'the version in perfshim.pc'
# shellcheck disable=SC2046 # flags
gcc -std=gnu11 -D_GNU_SOURCE use.c -o use $(pkg-config --cflags --libs perfshim) -lm 2>log ||
	fail 'a C program to compile against what is installed' "$(head -n 5 log)"
equal '40 7' "$(./use)" 'what the program prints'

mv moved dest/opt/perf
log=$(installer --uninstall) || fail 'install.sh --uninstall to succeed' "$log"
equal '' "$(find dest ! -type d)" 'files that are left after uninstall'
