#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# the host: descriptors, threads, signals and namespaces are as without us.
. "$E2E/lib.sh"

run_both ls /proc/self/fd
recorded
run_both sh -c 'ls /proc/self/task | wc -l'
run_both sh -c 'grep -E "^(SigBlk|SigIgn|SigCgt|Threads)" /proc/self/status'
run_both python3 -c '
import os, threading, signal
print(sorted(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))
print([int(signal.getsignal(s) == signal.SIG_DFL) for s in (1, 2, 3, 10, 12, 13, 14, 15, 17)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
'
# A second thread of any kind makes this fail.
run_both unshare -U true
# errno, and exit statuses of the plain tools.
run_both ls /nonexistent
run_both sh -c 'ls /nonexistent; exit 42'
run_both grep -c root /etc/passwd
run_both true
run_both false
run_both sh -c 'ulimit -v 400000; echo limited; exec ls -d /'
run_both sh -c 'ulimit -n 3; echo few descriptors'
