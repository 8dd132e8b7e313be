#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install-deps.sh: without apt it lists what is missing and stops; with apt it installs.
. "$E2E/lib.sh"

script=$E2E/../../scripts/install-deps.sh
mkdir bin
for tool in bash env id mktemp rm cat flock ln; do ln -s "$(type -P $tool)" bin/; done

PATH=$PWD/bin "$script" lint >out 2>err
equal 1 $? 'the status without apt'
equal '' "$(<out)" 'stdout without apt'
has "$(<err)" 'missing: .*gcc .*make .*shellcheck' 'the list of what is missing'

# A stand-in for apt-get that "installs" by linking the tools.
cat >bin/apt-get <<END
#!$PWD/bin/bash
echo "\$*" >>$PWD/apt.log
case "\$*" in *install*)
	for tool in gcc g++ make objcopy pkg-config python3 clang clang-format clang-tidy shellcheck; do
		ln -sf "\$(type -P true 2>/dev/null || echo /bin/true)" "$PWD/bin/\$tool"
	done ;;
esac
END
chmod +x bin/apt-get
cat >bin/sudo <<END
#!$PWD/bin/bash
while [[ \$1 == -* ]]; do shift; done
exec "\$@"
END
chmod +x bin/sudo
PATH=$PWD/bin "$script" lint >out 2>err
equal 0 $? 'the status when apt installs what is missing'
equal '' "$(<out)$(<err)" 'output when it is not a terminal'
has "$(<apt.log)" 'update.*install .*gcc .*shellcheck' 'what apt-get was told'
hasnt "$(<apt.log)" 'libdw-dev' 'what apt-get was told'
: >apt.log
PATH=$PWD/bin "$script" lint
equal 0 $? 'the status when nothing is missing'
equal '' "$(<apt.log)" 'what apt-get was told when nothing is missing'

# Apt that fails: what it said is shown.
rm bin/gcc && printf '#!%s\necho E: no network >&2\nexit 100\n' "$PWD/bin/bash" >bin/apt-get
PATH=$PWD/bin "$script" lint >out 2>err
equal 1 $? 'the status when apt fails'
has "$(<err)" 'E: no network' 'stderr when apt fails'
has "$(<err)" 'missing: gcc' 'stderr when apt fails'
