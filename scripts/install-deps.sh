#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install-deps: makes sure that what a make target needs is there.  What is
# missing is installed through apt-get; without apt it is listed, and we stop.
# When nothing is missing, this costs a few file look-ups and no process.
#
#   scripts/install-deps.sh build|page|check|lint|bench|clang|fuzz|valgrind
#   scripts/install-deps.sh --missing GROUP    only list the missing packages
set -u

# One line a package: the groups that need it, the package, what shows that it
# is there.  Several proofs are alternatives; `?` marks one we can do without.
packages='
build,check,lint,bench gcc               tool:gcc
build,check,lint,bench g++               tool:g++
build,check,lint,bench make              tool:make
build,check,lint,bench binutils          tool:objcopy
build,check,lint,bench pkg-config        tool:pkg-config
build,check,lint,bench libc6-dev         header:stdio.h
build,check,lint,bench libjemalloc-dev   library:libjemalloc_pic.a
build,check,lint,bench libdw-dev         header:elfutils/libdwfl.h
build,check,lint,bench libelf-dev        header:gelf.h
build,check,lint,bench libjansson-dev    header:jansson.h
build,check,lint,bench zlib1g-dev        header:zlib.h
build,check,lint,bench libiberty-dev     header:libiberty/demangle.h
build,check,lint,bench libmicrohttpd-dev header:microhttpd.h
build,check,lint,bench libncurses-dev    header:ncurses.h
check                  prometheus        tool:promtool
check                  curl              tool:curl
check                  tmux              tool:tmux
check                  less              tool:less
check,bench            check             header:check.h
check,bench            libunwind-dev     header:libunwind-x86_64.h
check,lint,bench       python3           tool:python3
check                  python3-jsonschema python:jsonschema
check                  python3-yaml       python:yaml
check,bench            sqlite3           tool:sqlite3
check,bench            redis-server      tool:redis-server
check,bench            redis-tools       tool:redis-benchmark
check                  strace            tool:strace
check                  gdb?              tool:gdb
check                  heaptrack?        tool:heaptrack
check                  git               tool:git
check                  autoconf          tool:autoconf
check                  faketime?         tool:faketime
check                  fakeroot?         tool:fakeroot
check                  perl              tool:perl
page,check             nodejs            tool:node
page,check             npm               tool:npm
check                  chromium          tool:chromium
check                  valgrind          tool:ms_print
check                  cmake             tool:cmake
check                  systemtap-sdt-dev header:sys/sdt.h
check,bench            libjemalloc2      library:libjemalloc.so.2
check                  gcc-aarch64-linux-gnu? tool:aarch64-linux-gnu-gcc
check                  libc6-dev-arm64-cross? file:/usr/aarch64-linux-gnu/include/stdio.h
check                  qemu-user?        tool:qemu-aarch64
lint                   clang-format      tool:clang-format
lint                   clang-tidy        tool:clang-tidy
lint                   shellcheck        tool:shellcheck
lint,clang,fuzz        clang             tool:clang
clang                  llvm              tool:llvm-ar
valgrind               valgrind          tool:valgrind
bench                  libmimalloc2.0?   library:libmimalloc.so.2
bench                  libtcmalloc-minimal4? library:libtcmalloc_minimal.so.4
bench                  libgoogle-perftools4? library:libtcmalloc.so.4
bench                  libopenblas0-pthread? library:libopenblas.so.0
bench                  libblis4-pthread? library:libblis.so.4
'

usage()
{
	printf 'usage: install-deps.sh [--missing] build|page|check|lint|bench|clang|fuzz|valgrind\n' >&2
	exit 2
}

# Is there a file of this name in one of the directories?
in_dirs()
{
	local name=$1 dir
	shift
	for dir; do
		[ -e "$dir/$name" ] && return 0
	done
	return 1
}

# is_there KIND:NAME
is_there()
{
	local name=${1#*:}
	case $1 in
	tool:*) type -P "$name" >/dev/null ;;
	header:*) in_dirs "$name" /usr/include /usr/include/*-linux-gnu* \
		/usr/local/include ;;
	library:*) in_dirs "$name" /usr/lib/*-linux-gnu* /lib/*-linux-gnu* \
		/usr/lib /usr/lib64 /usr/local/lib ;;
	file:*) [ -e "$name" ] ;;
	python:*) in_dirs "$name" /usr/lib/python3/dist-packages ||
		python3 -c "import $name" 2>/dev/null ;;
	*) return 1 ;;
	esac
}

# Packages of the group that are not there, one a line, `?` kept.
missing()
{
	local groups package proof
	while read -r groups package proof; do
		case ",$groups," in
		*",$1,"*) is_there "$proof" || printf '%s\n' "$package" ;;
		esac
	done <<<"$packages"
}

# find_missing GROUP: sets required, optional and names (both).
find_missing()
{
	local package
	required='' optional=''
	while read -r package; do
		case $package in
		'') ;;
		*\?) optional+="${package%\?} " ;;
		*) required+="$package " ;;
		esac
	done <<<"$(missing "$1")"
	names=$required$optional
	names=${names% }
}

say()
{
	if [ -t 2 ]; then printf '  %-7s %s\n' "$1" "$2" >&2; fi
}

# apt ARGUMENTS: run apt-get; what it said is shown only when it fails.
apt()
{
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}

stop()
{
	printf 'perfshim: these packages are missing: %s\n' "$names" >&2
	printf 'perfshim: %s\n' "$1" >&2
	exit 1
}

# How to become root, in as_root; stops when there is no way.
find_root()
{
	as_root=()
	type -P apt-get >/dev/null ||
		stop 'there is no apt-get here; install them with your package manager (names as in Debian)'
	[ "$(id -u)" -eq 0 ] && return
	type -P sudo >/dev/null ||
		stop "not root and no sudo; run: apt-get install $names"
	as_root=(sudo)
	if [ ! -t 0 ]; then as_root+=(-n); fi
}

install_all()
{
	local package
	say APT 'update'
	# A stale list may still do: what counts is whether the install works.
	apt update || printf 'apt-get update failed\n' >>"$log"
	for package in $required; do say INSTALL "$package"; done
	# shellcheck disable=SC2086 # a list of words
	if [ -n "$required" ] && ! apt install --no-install-recommends $required; then
		cat -- "$log" >&2
		stop 'apt-get could not install them (its output is above)'
	fi
	for package in $optional; do
		say INSTALL "$package"
		apt install --no-install-recommends "$package" ||
			say SKIP "$package is not to be had"
	done
}

# install_packages GROUP: does not return when something stays missing.
install_packages()
{
	find_root
	# make -j starts us for two groups at once: the second one waits, looks again.
	exec 9<"$0" && flock 9
	find_missing "$1"
	[ -n "$names" ] || return 0
	install_all
	find_missing "$1"
	[ -z "$required" ] && return
	cat -- "$log" >&2
	stop 'apt-get installed them, and still they are not found'
}

# What npm installs, from a lock file: the page's packages, the tests' readers.
modules_of()
{
	case $1 in
	page) printf '%s' "${0%/*}/../lib/report/page" ;;
	check) printf '%s' "${0%/*}/../tests/npm" ;;
	esac
}
is_npm_missing()
{
	[ -n "$modules" ] && ! cmp -s "$modules/package-lock.json" "$modules/node_modules/.lock"
}

install_npm()
{
	say NPM "${modules#"${0%/*}"/../}"
	exec 8<"$modules/package-lock.json" && flock 8
	is_npm_missing || return
	if (cd "$modules" && npm ci) >>"$log" 2>&1 </dev/null; then
		cp -- "$modules/package-lock.json" "$modules/node_modules/.lock"
		return
	fi
	cat -- "$log" >&2
	printf 'perfshim: npm could not install what %s names\n' "${modules#"${0%/*}"/../}/package-lock.json" >&2
	exit 1
}

only_list=0
if [ "${1-}" = --missing ]; then only_list=1 && shift; fi
[ $# -eq 1 ] || usage
case $1 in
build | page | check | lint | bench | clang | fuzz | valgrind) ;;
*) usage ;;
esac

modules=$(modules_of "$1")
find_missing "$1"
if [ "$only_list" -eq 1 ]; then
	if [ -n "$names" ]; then printf '%s\n' "$names"; fi
	exit 0
fi
if [ -z "$names" ] && ! is_npm_missing; then exit 0; fi

log=$(mktemp) || exit 1
trap 'rm -f -- "$log"' EXIT
# Missing only things that we can do without, and no way to get them: go on.
if [ -n "$required" ] || { [ -n "$names" ] && type -P apt-get >/dev/null; }; then
	install_packages "$1"
fi
if is_npm_missing; then install_npm; fi
exit 0
