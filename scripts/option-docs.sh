#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# option-docs: README and man/perfreport.1 list the PERFSHIM_ variables as the
# one option table has them, between two lines that mark the place; and
# man/perfwrap.1 has each option of perfwrap.sh and of perfbench.
#
#   B=build scripts/option-docs.sh [--check|--self-test]
set -u
cd "$(dirname -- "$0")/.." || exit 1
B=${B:-build}

readme_rows()
{
	echo '| Variable | Values | Default | |'
	echo '|---|---|---|---|'
	# shellcheck disable=SC2016 # backquotes of Markdown
	"$B/perfreport" --help-options | sed -n 'N
		s/^\([A-Z_]*\)=\(.*\) (default \(.*\))\n *\(.*\)/| `\1` | \2 | \3 | \4 |/p'
}

man_rows()
{
	"$B/perfreport" --help-options | sed -n 'N
		s/^\([A-Z_]*\)=\(.*\) (default \(.*\))\n *\(.*\)/.TP\n.BR \1\n\4: \2; default \3./p'
}

# between FILE BEGIN END ROWS: the file with ROWS between the marked lines.
between()
{
	# By the environment: -v would take the backslashes for escapes.
	first=$2 last=$3 rows=$4 awk '
		$0 == ENVIRON["last"] { inside = 0 }
		!inside { print }
		$0 == ENVIRON["first"] { inside = 1; print ENVIRON["rows"] }' "$1"
}

wanted()
{
	case $1 in
	README.md) between "$1" '<!-- options -->' '<!-- end of options -->' "$(readme_rows)" ;;
	*) between "$1" '.\" options' '.\" end of options' "$(man_rows)" ;;
	esac
}

# undocumented MAN: options of perfwrap.sh and its modes that it does not have.
undocumented()
{
	local option
	while read -r option; do
		grep -qF -- "\\-\\-${option//-/\\-}" "$1" || echo "--$option"
	done < <(scripts/perfwrap.sh --library "$B/libperfshim.so" --help |
		sed -n 's/^  --\([a-z0-9-]*\).*/\1/p')
}

if [ "${1-}" = --self-test ]; then
	file=$(mktemp) || exit 1
	trap 'rm -f -- "$file"' EXIT
	printf '%s\n' a '.\" begin' old '.\" end' z >"$file"
	[ "$(between "$file" '.\" begin' '.\" end' '\new')" = $'a\n.\\" begin\n\\new\n.\\" end\nz' ] || { echo 'self-test: not replaced' && exit 1; }
	printf '%s\n' '.BI \-\-no\-shim' '.BI \-\-vs " CMD"' >"$file"
	[[ $(undocumented "$file" | tr '\n' ' ') == *'--runs '* && $(undocumented "$file") != *--vs* ]] ||
		{ echo 'self-test: an option without a word in the man page passes' && exit 1; }
	[ "$(readme_rows | grep -c '^| `PERFSHIM_')" -ge 10 ] || { echo 'self-test: rows are missing' && exit 1; }
	exit 0
fi

bad=0
for file in README.md man/perfreport.1; do
	text=$(wanted "$file")
	[ "$text" = "$(<"$file")" ] && continue
	if [ "${1-}" = --check ]; then
		echo "option-docs: $file is not what scripts/option-docs.sh makes of the option table"
		bad=1
	else
		printf '%s\n' "$text" >"$file"
	fi
done
if [ "${1-}" = --check ]; then
	for option in $(undocumented man/perfwrap.1); do
		echo "option-docs: man/perfwrap.1 has no $option"
		bad=1
	done
fi
exit "$bad"
