#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build-page: the page of perfreport --html without its data, as one file, from
# lib/report/page and the packages that its lock file names.
#
#   HTML=auto|on|off scripts/build-page.sh OUT
#
# off: OUT is empty, which says that there is no page.  auto (default): so it is
# when the packages cannot be had, after one line; on: then it fails.
set -u
out=$1
html=${HTML:-auto}
root=$(cd "$(dirname -- "$0")/.." && pwd) || exit 1
page=$root/lib/report/page

die()
{
	printf 'perfshim: %s\n' "$*" >&2
	exit 1
}

case $html in
auto | on) ;;
off) : >"$out" && exit ;;
*) die "HTML=$html: allowed: auto, on, off" ;;
esac

if ! why=$("$root/scripts/install-deps.sh" page 2>&1); then
	[ "$html" = auto ] || die "no page for perfreport --html: ${why:-npm could not install its packages}"
	printf 'perfshim: perfreport is built without --html: %s\n' \
		"$(tail -n 1 <<<"${why:-npm could not install its packages}")" >&2
	: >"$out"
	exit
fi
node "$page/bundle.mjs" "$out" || die 'the page could not be bundled'
