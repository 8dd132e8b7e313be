#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal: run a command on a terminal of its own and print what it wrote there.

    terminal.py TEXT COMMAND...      ^C is typed when TEXT has come ("": never)

Ends with the command's status.
"""
import os
import pty
import sys


def main():
    text, command = sys.argv[1].encode(), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    seen, is_typed = b"", not text
    while True:
        try:
            got = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if not got:
            break
        seen += got
        if not is_typed and text in seen:
            is_typed = True
            os.write(terminal, b"\x03")
    sys.stdout.buffer.write(seen)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
