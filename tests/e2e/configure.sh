#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# configure && make of an autoconf'ed project: hundreds of short processes, and
# what they find and build is what they find and build without the shim.
. "$E2E/rows.sh"
need autoconf gcc make

mkdir -p source && cd source || exit 1
cat >configure.ac <<'END_AC'
AC_INIT([story], [1.0])
AC_CONFIG_HEADERS([config.h])
AC_CONFIG_FILES([Makefile])
AC_PROG_CC
AC_PROG_INSTALL
AC_C_CONST
AC_C_INLINE
AC_CHECK_HEADERS([stdio.h stdlib.h unistd.h sys/epoll.h nosuch.h])
AC_CHECK_TYPES([ssize_t, struct nosuch])
AC_CHECK_SIZEOF([long])
AC_CHECK_FUNCS([malloc memfd_create nosuchfunction strlcpy fork vfork])
AC_SEARCH_LIBS([sqrt], [m])
AC_OUTPUT
END_AC
for i in 1 2 3 4 5 6; do
	printf '#include <stdlib.h>\nvoid *f%d(void) { return malloc(%d); }\n' $i $i >f$i.c
done
echo 'int main(void) { return 0; }' >main.c
cat >Makefile.in <<'END_MK'
CC = @CC@
objects = main.o f1.o f2.o f3.o f4.o f5.o f6.o
program: $(objects)
	$(CC) -o $@ $(objects)
.c.o:
	$(CC) @CFLAGS@ -I. -c $<
END_MK
cp "$(find /usr/share/automake* /usr/share/autoconf* -name install-sh 2>/dev/null | head -n 1)" . 2>/dev/null ||
	printf '#!/bin/sh\nexec install "$@"\n' >install-sh
chmod +x install-sh
autoconf 2>autoconf.log || fail 'autoconf to make configure' "$(<autoconf.log)"
cat >config.h.in <<'END_H'
#undef HAVE_MEMFD_CREATE
#undef HAVE_STRLCPY
#undef HAVE_MALLOC
#undef SIZEOF_LONG
#undef HAVE_SYS_EPOLL_H
END_H
cd ..

# build PREFIX...: at one path, so that no name differs.
build()
{
	rm -rf work && cp -a source work || return 1
	(cd work && "$@" sh -c './configure -q && make -s -j2') >built.out 2>built.err
	echo "status $?" >>built.out
	rm -f work/config.log
	(cd work && find . -type f ! -name '*.cache' | sort | xargs sha1sum) >built.files
}
build env
mv built.out bare.out && mv built.files bare.files && mv built.err bare.err
has "$(<bare.out)" 'status 0' 'the build without the shim'
build "$WRAP" --library "$LIB" -o "$PWD/rec"
# hazard: F12 thousands of short processes
cmp -s bare.out built.out || fail 'the same on stdout' "$(diff bare.out built.out | head -n 5)"
cmp -s bare.files built.files || fail 'the same files' "$(diff bare.files built.files | head -n 5)"
grep -q config.status built.files || fail 'a config.status among the files'

# One report, whose table has the processes, and the directory is no larger than it must be.
equal 1 "$(grep -c '^PROCESSES' built.err)" 'tables of hundreds of processes'
note_row F12 shim 'as without'
kib=$(du -sk rec | cut -f1)
[ "$kib" -lt 100000 ] || fail 'recordings below 100 MB' "$kib KiB"
note_row F13 shim "$kib KiB"
