#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport --serve in bad company: requests that are none, connections that say
# nothing, and a directory with files that are no recordings.
. "$E2E/lib.sh"

run_shim "$T/sections"
pid=$(<shim.pid)
# Beside the one that is: garbage, nothing, a pipe, a directory, links, a giant.
head -c 100000 /dev/urandom >rec/garbage.1.2.perfshim
: >rec/empty.2.3.perfshim
mkfifo rec/pipe.3.4.perfshim
mkdir rec/directory.4.5.perfshim
ln -s /etc/passwd rec/link.5.6.perfshim
ln -s loop.6.7.perfshim rec/loop.6.7.perfshim
truncate -s 8T rec/giant.7.8.perfshim 2>/dev/null || truncate -s 1G rec/giant.7.8.perfshim
head -c 5000 "$(recording)" >"rec/short.8.9.perfshim"

"$B/perfreport" --serve 0 rec 2>serve.err &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for ((i = 0; i < 200; i++)); do grep -q 'http://' serve.err && break; sleep 0.02; done
timeout 60 python3 - "$(grep -o '127.0.0.1:[0-9]*' serve.err)" "$pid" "$server" <<'END' || fail 'the server to stand it' "$(<serve.err)"
import os, socket, sys, time
host, port = sys.argv[1].split(":")
pid, server = sys.argv[2], sys.argv[3]


def talk(raw, wait=10, is_all=True):
    """What comes back until the server closes, or 10 s; b"" when it hangs up."""
    s = socket.create_connection((host, int(port)), timeout=wait)
    got = b""
    try:
        s.sendall(raw)
        if is_all:
            s.shutdown(socket.SHUT_WR)
        while True:
            part = s.recv(65536)
            if not part:
                break
            got += part
    except TimeoutError:
        raise
    except OSError:  # hung up on
        pass
    s.close()
    return got


def status(raw):
    head = talk(raw).split(b"\r\n")[0]
    return int(head.split()[1]) if head.startswith(b"HTTP/") else 0


def get(path, extra=b""):
    return b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + extra + b"\r\n"


def named(host):
    return b"GET /metrics HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"


def lives():
    assert status(get(b"/healthz")) == 200, "healthz"


lives()
# Never a file, whatever the path is; never more than 4xx.
for path in (b"/report/%2e%2e/%2e%2e/etc/passwd", b"/report/../../../etc/passwd",
             b"/report/" + pid.encode() + b"/", b"/report/-1", b"/report/0x10", b"/report/1e3", b"/report/99999999999999999999",
             b"/report/5", b"/report/3", b"/report/%ff%fe", b"//metrics", b"/metrics/", b"*", b"http://other/metrics2"):
    got = talk(get(path))
    assert b"root:" not in got, path
    assert got == b"" or 400 <= int(got.split()[1]) < 500, (path, got[:100])
    lives()
# What is no request, is too long, or says one thing and does another.
for raw in (b"", b"\r\n" * 1000, os.urandom(5000), b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", b"\x16\x03\x01\x02\x00" + os.urandom(600),
            b"GET " + b"/a" * 500000 + b" HTTP/1.1\r\n\r\n", get(b"/healthz", b"X: " + b"y" * 1000000 + b"\r\n"),
            get(b"/metrics", b"".join(b"H%d: v\r\n" % i for i in range(20000))),
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nabc",
            b"PUT /report/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\nzz",
            b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"):
    assert status(raw) != 200 or raw.startswith(b"GET /metrics"), raw[:60]
    lives()
# A page of the web whose name leads here is no reader; the machine's own are.
for name in (b"evil.example", b"evil.example:" + port.encode(), b"127.0.0.1.evil.example", b"1.2.3.4x", b"localhost."):
    assert status(named(name)) == 403, name
for name in (b"localhost:1", b"127.0.0.1:" + port.encode(), b"127.0.0.1", b"[::1]:9", b"monitor:9464", b""):
    assert status(named(name)) == 200, name
# 300 requests in one connection, asked all at once.
many = talk(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 299 + get(b"/healthz"), is_all=False)
assert many.count(b"200 OK") == 300, many.count(b"200 OK")
# Half of all connections there can be say half a request: the others are served.
idle = [socket.create_connection((host, int(port))) for _ in range(32)]
for s in idle:
    s.sendall(b"GET /metr")
begun = time.monotonic()
lives()
assert b"perfshim_heap_live_bytes" in talk(get(b"/metrics"))
assert time.monotonic() - begun < 8, "answers beside idle connections"
for s in idle:
    s.close()
# The one recording is told, of the others nothing is made up.
metrics = talk(get(b"/metrics")).decode()
assert 'exe="sections"' in metrics and "garbage" not in metrics and "root:" not in metrics, metrics[:400]
assert status(get(b"/report/" + pid.encode())) == 200
for number in (1, 2, 3, 4, 5, 6, 7):
    assert status(get(b"/report/%d" % number)) == 404, number
# Nothing is left open, nothing has grown.
time.sleep(0.5)
assert len(os.listdir("/proc/%s/fd" % server)) < 20, os.listdir("/proc/%s/fd" % server)
resident = int(open("/proc/%s/statm" % server).read().split()[1]) * 4096
assert resident < 100 << 20, resident
END
kill -TERM $server
wait $server
equal 0 $? 'the status after SIGTERM'
equal 1 "$(wc -l <serve.err)" "what it said ($(<serve.err))"
