#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install: puts what was built below PREFIX, or takes it away again, for `make
# install` and `make uninstall`.  Each file appears whole, by rename: programs
# that run with the old library keep it.
#
#   B= DESTDIR= PREFIX= LIBDIR= BINDIR= INCLUDEDIR= MANDIR= VERSION= \
#       scripts/install.sh [--uninstall]
set -u
cd "$(dirname -- "$0")/.." || exit 1

B=${B:-build}
PREFIX=${PREFIX:-/usr/local}
LIBDIR=${LIBDIR:-$PREFIX/lib}
BINDIR=${BINDIR:-$PREFIX/bin}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
MANDIR=${MANDIR:-$PREFIX/share/man}
DOCDIR=$PREFIX/share/doc/perfshim
DESTDIR=${DESTDIR:-}
VERSION=${VERSION:-unknown}

die()
{
	printf 'install: %s\n' "$*" >&2
	exit 1
}

# put MODE FILE TARGET
put()
{
	local target=$DESTDIR$3
	mkdir -p -- "${target%/*}" || die "cannot make ${target%/*}"
	install -m "$1" -- "$2" "$target.new" || die "cannot write $target"
	mv -f -- "$target.new" "$target" || die "cannot write $target"
}

# What is installed, for both directions: MODE FILE TARGET.
list()
{
	local file
	echo "755 $B/libperfshim.so $LIBDIR/libperfshim.so"
	echo "644 $B/libperfcore.a $LIBDIR/libperfcore.a"
	echo "755 $B/perfreport $BINDIR/perfreport"
	echo "755 $B/perfbench $BINDIR/perfbench"
	echo "644 shim/perfshim.h $INCLUDEDIR/perfshim.h"
	for file in lib/*/*.h; do
		echo "644 $file $INCLUDEDIR/perfshim/${file#lib/}"
	done
	for file in man/*.1; do
		[ -e "$file" ] && echo "644 $file $MANDIR/man1/${file##*/}"
	done
	for file in man/*.7; do
		[ -e "$file" ] && echo "644 $file $MANDIR/man7/${file##*/}"
	done
	for file in share/prometheus-rules.yml share/grafana-dashboard.json; do
		echo "644 $file $PREFIX/share/perfshim/${file##*/}"
	done
	for file in README.md CHANGELOG.md LICENSE; do
		[ -e "$file" ] && echo "644 $file $DOCDIR/$file"
	done
}

# Headers include each other as "base/base.h", so their directory is given.
pkg_config()
{
	cat <<-END
		prefix=$PREFIX
		libdir=$LIBDIR
		includedir=$INCLUDEDIR

		Name: perfshim
		Description: pool, profiler, benchmarks and monitor of perfshim, as a library
		Version: $VERSION
		Cflags: -I\${includedir} -I\${includedir}/perfshim
		Libs: -L\${libdir} -lperfcore -pthread
	END
}

install_all()
{
	local mode file target
	while read -r mode file target; do
		put "$mode" "$file" "$target"
	done < <(list)
	made=$(mktemp) || die 'no temporary file'
	trap 'rm -f -- "$made"' EXIT
	# The one thing that the wrapper cannot find from its own place.
	sed "s|^libdir=''.*|libdir='$LIBDIR'|" scripts/perfwrap.sh >"$made"
	put 755 "$made" "$BINDIR/perfwrap.sh"
	ln -sfn perfwrap.sh "$DESTDIR$BINDIR/perfwrap" || die 'cannot link perfwrap'
	pkg_config >"$made"
	put 644 "$made" "$LIBDIR/pkgconfig/perfshim.pc"
	ln -sfn perfwrap.1 "$DESTDIR$MANDIR/man1/perfwrap.sh.1"
}

uninstall_all()
{
	local mode file target
	while read -r mode file target; do
		rm -f -- "$DESTDIR$target"
	done < <(list)
	rm -f -- "$DESTDIR$BINDIR"/perfwrap{,.sh} \
		"$DESTDIR$LIBDIR/pkgconfig/perfshim.pc" \
		"$DESTDIR$MANDIR/man1/perfwrap.sh.1"
	find "$DESTDIR$INCLUDEDIR/perfshim" "$DESTDIR$DOCDIR" \
		"$DESTDIR$PREFIX/share/perfshim" -type d -empty -delete 2>/dev/null
	return 0
}

case ${1-} in
'') install_all ;;
--uninstall) uninstall_all ;;
*) die "unknown argument $1" ;;
esac
