#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# static, set-user-ID and foreign programs: one line that says so, and they run.
. "$E2E/lib.sh"

need gcc
told()
{
	local status=$1 word=$2
	shift 2
	"$WRAP" --library "$LIB" --quiet -- "$@" >out 2>err
	equal "$status" $? "the status of $1"
	equal 1 "$(wc -l <err)" "the lines about $1"
	has "$(<err)" "$word" "the line about $1"
}
echo 'int main(void) { return 5; }' >five.c
gcc -static -o static five.c || skip 'no static libc'
told 5 'statically linked' ./static
gcc -static-pie -o static-pie five.c && told 5 'statically linked' ./static-pie
printf '#!%s\n' "$PWD/static" >script && chmod +x script
told 5 'statically linked' ./script

# A program for another machine: the same file with another number in its header.
gcc -o foreign five.c && printf '\xb7' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
"$WRAP" --library "$LIB" --quiet ./foreign >out 2>err
has "$(<err)" 'not an x86-64 program' 'the line about a program for another machine'
hasnt "$(<err)" 'ld.so' 'stderr'

# A program that the loader runs with other privileges; only root can make one here.
if [ "$(id -u)" -eq 0 ]; then
	gcc -o setuid five.c && chown nobody setuid && chmod u+s setuid
	told 5 'other privileges' ./setuid
fi

# An ordinary one, and a script through env, get no such line.
gcc -o plain five.c
"$WRAP" --library "$LIB" --quiet ./plain >out 2>err
equal 5 $? 'the status of an ordinary program'
equal '' "$(<err)" 'stderr of an ordinary program'
printf '#!/usr/bin/env bash\nexit 6\n' >script
"$WRAP" --library "$LIB" --quiet ./script >out 2>err
equal 6 $? 'the status of a script'
equal '' "$(<err)" 'stderr of a script'
