#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport on a terminal: a long report comes page by page, a short one at once.
. "$E2E/lib.sh"

need tmux less
run_shim "$T/sections"
file=$(recording)
socket=none number=0
trap 'tmux -S "$socket" kill-server 2>/dev/null' EXIT

# terminal ROWS COMMAND: starts it in a terminal of that size.
terminal()
{
	socket=$PWD/tmux$((++number)) # a server that ends may still answer
	tmux -S "$socket" -f /dev/null new-session -d -x 100 -y "$1" \
		"unset PAGER LESS; $2; echo status \$? END; sleep 60"
}
# sees REGEX: on the screen, within half a minute.
sees()
{
	local i
	for ((i = 0; i < 300; i++)); do
		tmux -S "$socket" capture-pane -p >screen 2>/dev/null
		grep -qE -- "$1" screen && return
		sleep 0.1
	done
	fail "$1 on the terminal" "$(<screen)"
}
end()
{
	tmux -S "$socket" kill-server 2>/dev/null
}

terminal 24 "'$B/perfreport' '$file'"
sees '^:'
hasnt "$(<screen)" 'END|HOW FAR TO TRUST' 'the first page'
has "$(<screen)" 'HEAP' 'the first page'
tmux -S "$socket" send-keys G
sees 'HOW FAR TO TRUST'
tmux -S "$socket" send-keys q
sees 'status 0 END'
end

# Long enough for all of it: no pager, whatever it would do.
terminal 200 "PAGER='echo paged #' '$B/perfreport' '$file'"
sees 'status 0 END'
hasnt "$(<screen)" 'paged' 'the terminal after a short report'
has "$(<screen)" 'HOW FAR TO TRUST' 'the terminal'
end
terminal 24 "PAGER='echo paged #' '$B/perfreport' '$file'"
sees 'status 0 END'
has "$(<screen)" 'paged' 'the terminal after a long report'
end

# Switched off, not there, and not a terminal.
for how in "PAGER= '$B/perfreport'" "'$B/perfreport' --no-pager" "PAGER=/no/such/pager '$B/perfreport'"; do
	terminal 24 "$how '$file'"
	sees 'status 0 END'
	has "$(<screen)" 'HOW FAR TO TRUST' "the terminal with $how"
	end
done
PAGER='echo paged #' "$B/perfreport" "$file" >out
hasnt "$(<out)" 'paged' 'a report to a file'
