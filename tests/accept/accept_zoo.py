# SPDX-License-Identifier: MIT
"""accept_zoo: servers, languages and tools as Debian has them, one shell script each.

As in accept_programs: status and output are compared, so a script prints no time,
address or process.  Servers listen on sockets in the run's directory or on ports
above 20000 and are ended by the script itself.
"""

# name: (tools, script)
ZOO = {
    "nginx": (("nginx", "curl"), r"""
mkdir -p www tmp && for i in $(seq 50); do seq $((i * 200)) >www/f$i; done; chmod -R a+rX . ; chmod a+rx . ..
cat >conf <<END
daemon on; master_process on; worker_processes 4; pid $PWD/pid; error_log $PWD/error.log notice;
events { worker_connections 200; }
http { access_log off; client_body_temp_path $PWD/tmp/a; proxy_temp_path $PWD/tmp/b; fastcgi_temp_path $PWD/tmp/c;
uwsgi_temp_path $PWD/tmp/d; scgi_temp_path $PWD/tmp/e; gzip on; gzip_types *; gzip_min_length 100;
server { listen 127.0.0.1:23501; root $PWD/www; autoindex on; location /p/ { proxy_pass http://127.0.0.1:23501/; } } }
END
nginx -c $PWD/conf -p $PWD 2>/dev/null; echo "start $?"
for i in $(seq 50); do curl -s --compressed 127.0.0.1:23501/f$i; curl -s 127.0.0.1:23501/p/f$i; done | cksum
seq 50 | xargs -P 8 -I{} curl -s 127.0.0.1:23501/p/p/f{} | wc -c
nginx -c $PWD/conf -p $PWD -s reload 2>/dev/null; echo "reload $?"; sleep 1
curl -s -o /dev/null -w '%{http_code}\n' 127.0.0.1:23501/none; curl -s 127.0.0.1:23501/f7 | cksum
nginx -c $PWD/conf -p $PWD -s quit 2>/dev/null; sleep 1; test -e pid; echo "pid file $?"
grep -cE 'exited on signal|alert|emerg' error.log; true
"""),
    "memcached": (("memcached", "perl"), r"""
memcached -U 0 -l 127.0.0.1 -p 23502 -u nobody -t 4 -m 64 2>err & pid=$!; sleep 1
perl -MIO::Socket::INET -e '
my @k = map { my $c = $_; my $p = fork; if (!$p) { my $s = IO::Socket::INET->new("127.0.0.1:23502") or exit 9; my $bad = 0;
for (1..3000) { my $v = "v$c" x ($_ % 400); print $s "set k$c.$_ 0 0 " . length($v) . "\r\n$v\r\n"; <$s> eq "STORED\r\n" or $bad++;
print $s "get k$c.$_\r\n"; my $l = <$s>; $bad++ if $l !~ /^VALUE/; <$s>; <$s>; } exit($bad ? 1 : 0) } $p } 1..4;
my $n = 0; for (@k) { waitpid $_, 0; $n++ if $? == 0 } print "clients $n\n";
my $s = IO::Socket::INET->new("127.0.0.1:23502"); print $s "stats\r\n"; while (<$s>) { print if /(cmd_set|get_hits) /; last if /END/ }'
kill -TERM $pid; wait $pid; echo "memcached $?"; wc -c <err
"""),
    "lighttpd": (("lighttpd", "haproxy", "curl"), r"""
mkdir www && for i in $(seq 30); do seq $((i * 300)) >www/f$i; done
cat >l.conf <<END
server.document-root = "$PWD/www"
server.port = 23503
server.bind = "127.0.0.1"
server.errorlog = "$PWD/l.log"
END
cat >h.cfg <<END
global
 nbthread 4
defaults
 mode http
 timeout connect 5s
 timeout client 20s
 timeout server 20s
frontend f
 bind 127.0.0.1:23504
 default_backend b
backend b
 http-request set-header X-a b
 server s 127.0.0.1:23503 check
END
lighttpd -D -f l.conf & l=$!; haproxy -f h.cfg 2>/dev/null & h=$!; sleep 2
for i in $(seq 30); do curl -s 127.0.0.1:23504/f$i; done | cksum
seq 200 | xargs -P 8 -I{} sh -c 'curl -s 127.0.0.1:23504/f$(({} % 30 + 1))' | wc -c
curl -s -o /dev/null -w '%{http_code}\n' 127.0.0.1:23504/none
kill -USR1 $h; wait $h; echo "haproxy $?"; kill -INT $l; wait $l; echo "lighttpd $?"
"""),
    "mariadb": (("mariadbd", "mariadb-install-db", "mariadb"), r"""
d=$(mktemp -d /tmp/zoo.XXXXXX); q() { mariadb -N -S $d/s "$@" 2>&1; }
mariadb-install-db --no-defaults --user=root --datadir=$d/db --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1; echo "install $?"
mariadbd --no-defaults --user=root --datadir=$d/db --socket=$d/s --skip-networking --pid-file=$d/pid --innodb-buffer-pool-size=32M --log-error=$d/log & pid=$!
for i in $(seq 200); do q -e 'select 1' >/dev/null && break; sleep 0.2; done; echo "ready $?"
q -e 'create database z; use z; create table t (id int primary key auto_increment, v varchar(200), j json, index (v)); insert into t (v) select md5(seq) from seq_1_to_50000;
select count(*), md5(group_concat(v order by id)) from (select * from t limit 1000) x; select count(*) from t a join t b on a.v = b.v where a.v like "a%";
update t set j = json_object("a", v); select json_extract(j, "$.a") from t where id = 77; alter table t add column n int; select max(length(j)) from t;'
seq 100 | xargs -P 6 -I{} mariadb -N -S $d/s z -e 'select {} + count(*) from t where id % ({} + 1) = 0; insert into t (v) values ("x{}")' | sort -n | cksum
q z -e 'select count(*) from t; create fulltext index f on t(v); select nothing'; echo "wrong $?"
mariadb-dump -S $d/s z 2>/dev/null | grep -c INSERT
kill -TERM $pid; wait $pid; echo "mariadbd $?"; grep -cE 'got signal|Assertion' $d/log; rm -rf $d
"""),
    "dovecot": (("dovecot", "doveadm", "/usr/lib/dovecot/imap"), r"""
d=$(mktemp -d /tmp/zoo.XXXXXX); mkdir $d/mail; chmod 777 $d $d/mail
cat >$d/c <<END
base_dir = $d/run
state_dir = $d/state
log_path = $d/log
protocols = imap
ssl = no
listen = 127.0.0.1
mail_location = maildir:$d/mail/%u
disable_plaintext_auth = no
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 0
service imap-login {
 inet_listener imap {
 port = 23505
 }
}
passdb {
 driver = static
 args = password=x
}
userdb {
 driver = static
 args = home=$d/mail/%u
}
END
dovecot -c $d/c; echo "start $?"; sleep 1
/usr/bin/python3 - <<'END'
import imaplib
m = imaplib.IMAP4("127.0.0.1", 23505); print(m.login("u", "x")[0])
for i in range(50): m.append("INBOX", "", None, b"Subject: s%d\r\n\r\n" % i + b"body\r\n" * i * 20)
print(m.select("INBOX")[1], m.search(None, "SUBJECT", '"s4"')[1], sum(len(m.fetch(str(i), "(BODY[])")[1][0][1]) for i in range(1, 51)))
print(m.store("1:10", "+FLAGS", "\\Deleted")[0], len(m.expunge()[1])); m.logout()
END
doveadm -c $d/c stop; echo "stop $?"; sleep 1; grep -cE 'killed with signal|Panic|Fatal' $d/log; rm -rf $d
"""),
    "dnsmasq": (("dnsmasq", "python3"), r"""
for i in $(seq 2000); do echo "10.0.$((i / 250)).$((i % 250)) h$i.zoo"; done >hosts
dnsmasq -k -C /dev/null -p 23506 -a 127.0.0.1 --no-resolv -h -H $PWD/hosts -x $PWD/pid -u root 2>/dev/null & pid=$!; sleep 1
/usr/bin/python3 - <<'END'
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); n = 0
for i in range(1, 2001, 3):
    name = b"".join(bytes([len(p)]) + p for p in (b"h%d" % i, b"zoo")) + b"\0"
    s.sendto(struct.pack(">6H", i, 256, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1), ("127.0.0.1", 23506))
    n += s.recv(600)[-1]
print("answers", n)
END
kill -HUP $pid; sleep 0.5; kill $pid; wait $pid; echo "dnsmasq $?"
"""),
    "ruby": (("ruby",), r"""
cat >a.rb <<'END'
require 'json'; require 'digest'; require 'set'
h = Hash.new { |a, k| a[k] = "x" * (k % 300) }; 200_000.times { |i| h[i % 5000] << "y" }
puts h.values.sum(&:size)
puts 8.times.map { |t| Thread.new { (1..20000).map { |i| "#{t}#{i}".to_sym if i % 100 == 0; i.to_s }.join.size } }.map(&:value).sum
puts 5.times.map { |i| Process.wait(fork { exit i }); $?.exitstatus }.sum
puts JSON.parse(JSON.generate((1..20000).map { |i| { i => [i.to_s] * 3 } })).size
def d(n) n == 0 ? 0 : 1 + d(n - 1) end
begin d(10_000_000) rescue SystemStackError; puts "stack" end
f = Fiber.new { 1000.times { |i| Fiber.yield i } }; puts 1000.times.sum { f.resume }
puts (1..300).map { |i| Fiber.new { Fiber.yield i } }.sum(&:resume)
GC.start; GC.compact if GC.respond_to?(:compact)
r = Ractor.new { Array.new(10000) { |i| i.to_s }.join.size } rescue nil; puts r.take if r
puts `echo sub; exit 3`, $?.exitstatus; puts Digest::SHA256.hexdigest("a" * 1_000_000)
trap("USR1") { puts "trapped" }; Process.kill("USR1", $$); sleep 0.1
at_exit { puts "bye" }; exit 6
END
ruby -W0 a.rb; echo "ruby $?"; ruby -e 'Process.kill(:SEGV, $$); sleep' >/dev/null 2>&1; echo "segv $?"
"""),
    "lua": (("lua5.4",), r"""
cat >a.lua <<'END'
local t = {} for i = 1, 300000 do t[i % 4000] = (t[i % 4000] or "") .. i % 10 end
local n = 0 for _, v in pairs(t) do n = n + #v end print(n)
local c = {} for i = 1, 3000 do c[i] = coroutine.wrap(function() for j = 1, 20 do coroutine.yield(j .. "") end end) end
local s = 0 for j = 1, 20 do for i = 1, 3000 do s = s + #c[i]() end end print(s)
print(pcall(string.rep, "x", 1 << 45)) local function d() return 1 + d() end print((pcall(d)))
print(select("#", table.unpack(t, 1, 200))) collectgarbage() print(string.format("%5.2f", 1 / 3)) os.exit(5, true)
END
lua5.4 a.lua 2>&1 | sed 's/0x[0-9a-f]*//'; echo "lua ${PIPESTATUS[0]}"
"""),
    "php": (("php",), r"""
cat >a.php <<'END'
<?php $a = []; for ($i = 0; $i < 300000; $i++) $a[$i % 7000] = ($a[$i % 7000] ?? '') . $i; echo array_sum(array_map('strlen', $a)), "\n";
echo strlen(json_encode(range(1, 50000))), ' ', preg_match_all('/(\d)\1/', implode(',', range(1, 20000))), ' ', md5(serialize($a)), "\n";
function g() { for ($i = 0; $i < 100000; $i++) yield $i => str_repeat('x', $i % 50); } $n = 0; foreach (g() as $k => $v) $n += strlen($v); echo $n, "\n";
try { throw new Exception('e'); } catch (Exception $e) { echo get_class($e), "\n"; } echo shell_exec('echo sub');
$d = new DOMDocument ?? null; 
END
sed -i '$d' a.php; echo 'register_shutdown_function(function () { echo "down\n"; }); ini_set("memory_limit", "30M"); $x = str_repeat("x", 100000000);' >>a.php
php -n a.php 2>&1 | sed 's/ in .*//'; echo "php ${PIPESTATUS[0]}"; php -n -r 'exit(4);'; echo "php $?"
USE_ZEND_ALLOC=0 php -n -r 'for ($i = 0; $i < 100000; $i++) $a[] = [$i, "$i"]; unset($a); echo memory_get_usage() > 0 ? "zend off\n" : "";'; echo "php $?"
"""),
    "emacs": (("emacs",), r"""
cat >a.el <<'END'
(let ((h (make-hash-table :test 'equal)) (s 0)) (dotimes (i 200000) (push i (gethash (number-to-string (% i 3000)) h)))
(maphash (lambda (k v) (setq s (+ s (length v)))) h) (princ (format "%d\n" s)))
(with-temp-buffer (dotimes (i 20000) (insert (format "line %d\n" (% (* i 7919) 20000)))) (sort-lines nil (point-min) (point-max)) (princ (md5 (buffer-string))) (terpri))
(princ (format "%d\n" (length (let (l) (dotimes (i 100000) (push (make-string (% i 100) ?x) l)) l))))
(garbage-collect) (princ (condition-case e (letrec ((f (lambda (n) (1+ (funcall f (1+ n)))))) (funcall f 0)) (error "deep"))) (terpri)
(princ (shell-command-to-string "echo sub")) (princ (format "%s\n" (expt 3 500)))
(princ (process-exit-status (let ((p (start-process "x" nil "sh" "-c" "exit 3"))) (while (process-live-p p) (accept-process-output p 1)) p))) (terpri)
(kill-emacs 5)
END
emacs -Q --batch -l a.el 2>/dev/null; echo "emacs $?"; cp a.el b.el; emacs -Q --batch -f batch-byte-compile b.el 2>/dev/null; echo "compile $?"; emacs -Q --batch --eval '(error "x")' 2>&1 | tail -n 1
"""),
    "vim": (("vim", "script"), r"""
seq 20000 >t; vim -N -u NONE -n -es -c '%s/7/seven/g' -c 'g/9/m0' -c '%sort' -c 'wq! out' t; echo "vim $?"; cksum <out
vim -N -u NONE -n -es -c 'call setline(1, map(range(50000), "string(v:val * v:val)"))' -c 'undo' -c 'redo' -c 'w! o2' -c 'cq 3' t; echo "vim $?"; cksum <o2
vim -N -u NONE -n -es -c 'call writefile([system("echo sub")], "o3")' -c 'q!'; cat o3
TERM=xterm script -qec "vim -N -u NONE -n -c 'call timer_start(300, {-> execute(\"qa!\")})' t" /dev/null >/dev/null; echo "screen $?"
"""),
    "gdb": (("gdb", "gcc"), r"""
cat >a.c <<'END'
#include <stdlib.h>
#include <stdio.h>
static void *keep[100];
static int f(int n) { keep[n % 100] = malloc(n); return n ? f(n - 1) + 1 : 0; }
int main(void) { printf("%d\n", f(50)); return 3; }
END
gcc -g -O0 a.c -o a; gdb -q -nx -batch -ex 'set startup-with-shell off' -ex 'break f if n == 25' -ex run -ex 'print n' -ex 'call (int)f(3)' -ex finish -ex 'delete' -ex continue ./a 2>&1 |
	grep -vE 'libthread_db|Using host|process [0-9]|debuginfod' | sed 's/0x[0-9a-f]*//g'; echo "gdb $?"
gdb -q -nx -batch -ex 'python print(sum(len(str(i)) for i in range(100000)))' -ex 'info line main' ./a 2>&1 | sed 's/0x[0-9a-f]*//g' | tail -n 2
"""),
    "strace": (("strace",), r"""
strace -f -o t sh -c 'for i in 1 2 3; do ls / >/dev/null; done; exit 3'; echo "strace $?"; grep -c 'exited with' t
strace -f -o t2 -e inject=openat:error=ENOENT:when=30+ ls / >/dev/null 2>&1; test -s t2; echo "inject $?"
strace -c -o t3 true; echo "count $?"
"""),
    "valgrind": (("valgrind", "gcc"), r"""
cat >a.c <<'END'
#include <stdlib.h>
#include <string.h>
int main(void) { char *p = malloc(10); char *q = malloc(20); memset(q, 1, 20); p[0] = 1; free(q); return p[0] + q[3] == 2 ? 0 : 1; }
END
gcc -g a.c -o a; for tool in memcheck massif cachegrind helgrind; do valgrind -q --tool=$tool --error-exitcode=9 --massif-out-file=/dev/null --cachegrind-out-file=/dev/null ./a >/dev/null 2>&1; echo "$tool $?"; done 2>/dev/null
valgrind --tool=memcheck --error-exitcode=9 ls / >/dev/null 2>&1; echo "ls $?"
"""),
    "go": (("go",), r"""
export GOCACHE=$PWD/cache GOPATH=$PWD/go GOFLAGS=-mod=mod GO111MODULE=off HOME=$PWD
cat >a.go <<'END'
package main
import ("fmt"; "os"; "os/exec"; "runtime"; "sync"; "crypto/sha256"; "strings"; "net")
func main() {
	var w sync.WaitGroup; var m sync.Mutex; n := 0
	for i := 0; i < 1000; i++ { w.Add(1); go func(i int) { defer w.Done(); s := strings.Repeat("x", i); m.Lock(); n += len(s); m.Unlock(); runtime.Gosched() }(i) }
	w.Wait(); fmt.Println(n)
	func() { defer func() { fmt.Println("recovered", recover() != nil) }(); var p *int; *p = 1 }()
	fmt.Printf("%x\n", sha256.Sum256(make([]byte, 1000000)))
	out, err := exec.Command("sh", "-c", "echo sub; exit 3").Output(); fmt.Print(string(out), err, "\n")
	_, err = net.LookupHost("localhost"); fmt.Println(err == nil); os.Exit(4)
}
END
cat >c.go <<'END'
package main
/*
#include <stdlib.h>
#include <string.h>
static int use(int n) { char *p = malloc(n); memset(p, 1, n); int s = p[n - 1]; free(p); return s; }
*/
import "C"
import ("fmt"; "sync"; "os")
func main() { var w sync.WaitGroup; var m sync.Mutex; n := 0
	for i := 1; i < 500; i++ { w.Add(1); go func(i int) { defer w.Done(); for k := 0; k < 20; k++ { r := int(C.use(C.int(i * 37))); m.Lock(); n += r; m.Unlock() }
		p := C.CString("abc"); m.Lock(); n += int(C.strlen(p)); m.Unlock(); C.free(nil) }(i) }
	w.Wait(); fmt.Println("cgo", n)
	func() { defer func() { fmt.Println("recovered", recover() != nil) }(); var a []int; _ = a[3] }(); os.Exit(2) }
END
go build -o a a.go; echo "build $?"; ./a; echo "go $?"; CGO_ENABLED=0 go build -o s a.go && ./s | tail -n 1; echo "static $?"
go build -o c c.go; echo "cgo build $?"; GOGC=10 ./c; echo "cgo $?"; GOMAXPROCS=16 ./c
go vet a.go; echo "vet $?"
"""),
    "openssl": (("openssl",), r"""
openssl genrsa -out k 2048 2>/dev/null; echo "genrsa $?"; openssl req -x509 -new -key k -subj /CN=zoo -days 2 -out c 2>/dev/null; echo "req $?"
head -c 3000000 /dev/zero | openssl dgst -sha512; head -c 100000 /dev/zero | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x | openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x | cksum
openssl s_server -quiet -accept 23507 -key k -cert c -www 2>/dev/null & pid=$!; sleep 1
for i in 1 2 3 4 5 6; do printf 'GET / HTTP/1.0\r\n\r\n' | timeout -k 1 20 openssl s_client -quiet -connect 127.0.0.1:23507 2>/dev/null | grep -c 'HTTP/1.0 200'; done
kill $pid; wait $pid 2>/dev/null; echo "s_server $?"; openssl speed -seconds 1 -multi 2 sha256 >/dev/null 2>&1; echo "speed $?"
openssl prime -generate -bits 256 >/dev/null; echo "prime $?"; openssl verify -CAfile c c; openssl nothing 2>/dev/null; echo "wrong $?"
"""),
    "ssh": (("ssh", "ssh-keygen", "ssh-agent", "ssh-add"), r"""
for t in rsa ed25519 ecdsa; do ssh-keygen -q -t $t -N x -f k$t; echo "$t $?"; ssh-keygen -y -P x -f k$t >p && cut -d ' ' -f 2 k$t.pub | grep -cF "$(cut -d ' ' -f 2 p)"; done
ssh -V 2>&1 | grep -c OpenSSH; ssh -G nohost | grep -c hostname; ssh -o BatchMode=yes -p 1 127.0.0.1 2>/dev/null; echo "refused $?"
ssh-keygen -q -t ed25519 -N '' -f n; ssh-agent sh -c 'ssh-add -q n; ssh-add -l | wc -l'; echo "agent $?"
"""),
    "rsync": (("rsync",), r"""
mkdir a; for i in $(seq 400); do mkdir -p a/d$((i % 20)); seq $((i * 30)) >a/d$((i % 20))/f$i; done
rsync -a a/ b; echo "copy $?"; for i in 1 2 3; do echo more >>a/d1/f1; rsync -ac --inplace --no-W a/ b; done; diff -r a b; echo "same $?"
rm -r a/d3; rsync -a --delete -z a/ b --stats | grep -E 'Number of (files|deleted files):'; rsync -a none c 2>/dev/null; echo "wrong $?"
printf 'use chroot = no\nport = 23508\naddress = 127.0.0.1\n[m]\npath = %s\n' $PWD/a >conf; rsync --daemon --no-detach --config=conf 2>/dev/null & pid=$!; sleep 1
rsync -a rsync://127.0.0.1:23508/m/ d; echo "daemon $?"; diff -r a d; kill $pid; wait $pid; echo "ended $?"
"""),
    "tmux": (("tmux",), r"""
t() { tmux -f /dev/null -S $PWD/s "$@"; }
t new-session -d -x 100 -y 30 'sh'; echo "new $?"; t send-keys 'seq 2000 | tail -n 3; echo done-$((6*7))' Enter; sleep 1.5
t capture-pane -p | grep -c done-42; for i in 1 2 3 4 5; do t new-window 'cat /proc/self/status >/dev/null; sleep 30'; done; t list-windows | wc -l
t split-window 'sleep 30'; t run-shell 'echo hi'; t set-buffer abc; t show-buffer; echo; t kill-server; echo "kill $?"; sleep 0.3; t ls 2>/dev/null; echo "gone $?"
"""),
    "busybox": (("busybox",), r"""
busybox sh -c 'seq 30000 | sort -r | md5sum; for i in 1 2 3; do (exit $i); echo $?; done; tar cf - /etc/passwd 2>/dev/null | tar tf -; echo abc | sed s/b/x/ | awk "{ print length }"'; echo "busybox $?"
seq 100000 | busybox gzip | busybox gunzip | busybox wc; busybox nothing 2>/dev/null; echo "wrong $?"
"""),
    "users": (("su", "sudo", "runuser"), r"""
d=$(mktemp -d /tmp/zoo.XXXXXX); chmod 755 $d; mkdir -m 1777 $d/rec; trap 'test -z "$PERFSHIM_OUT" || cp $d/rec/*.perfshim $own; rm -rf $d' EXIT
own=$PERFSHIM_OUT; test -z "$LD_PRELOAD" || { cp $LD_PRELOAD $d/lib.so && export LD_PRELOAD=$d/lib.so PERFSHIM_OUT=$d/rec; }
su -s /bin/sh nobody -c 'id -un; exit 3'; echo "su $?"; sudo -n -u nobody id -un; echo "sudo $?"; runuser -u nobody -- sh -c 'ls / | wc -l; exit 4'; echo "runuser $?"
su -s /bin/sh nobody -c 'sudo -n id -u' 2>/dev/null; echo "no right $?"; su -s /bin/sh nobody -c 'echo x | su root -c id' 2>/dev/null; echo "no password $?"
su -s /bin/sh nobody -c 'passwd -S nobody | cut -d " " -f 1,2'; sudo -n -V | head -n 1; chage -l nobody | wc -l; newgrp nogroup </dev/null; echo "newgrp $?"
setpriv --reuid=nobody --clear-groups --no-new-privs id -u; echo "setpriv $?"; unshare -Ur id -u 2>/dev/null; echo "unshare $?"; nsenter -t $$ -m true; echo "nsenter $?"
"""),
    "pictures": (("convert", "ffmpeg"), r"""
convert -seed 7 -size 300x200 plasma:red-blue a.png; echo "convert $?"; for o in '-blur 0x3' '-rotate 33' '-resize 150%' '-edge 2' '-colors 16 -dither None'; do convert -size 200x200 gradient:red-blue $o rgb:- | cksum; done
convert -size 400x400 gradient: -distort Arc 90 -depth 8 gray:- | cksum; convert none.png x.png 2>/dev/null; echo "wrong $?"; identify -format '%w %h\n' a.png
ffmpeg -nostdin -v error -threads 4 -f lavfi -i testsrc=s=320x240:d=3 -f lavfi -i sine=d=3 -c:v mpeg4 -bitexact -flags +bitexact -c:a ac3 -f matroska out.mkv; echo "ffmpeg $?"
ffmpeg -nostdin -v error -i out.mkv -f framemd5 -bitexact - | cksum; ffmpeg -nostdin -v error -i out.mkv -vf scale=64:48,hue=s=0 -f rawvideo - | cksum; ffprobe -v error -show_entries stream=codec_name -of csv out.mkv; ffmpeg -nostdin -v quiet -i none; echo "wrong $?"
"""),
    "guile": (("guile",), r"""
cat >a.scm <<'END'
(use-modules (ice-9 threads) (srfi srfi-1))
(display (apply + (par-map (lambda (i) (string-length (apply string-append (map number->string (iota 2000 i))))) (iota 50)))) (newline)
(define h (make-hash-table)) (do ((i 0 (1+ i))) ((= i 200000)) (hash-set! h (modulo i 999) (make-string (modulo i 99) #\x))) (display (hash-fold (lambda (k v s) (+ s (string-length v))) 0 h)) (newline)
(gc) (display (catch #t (lambda () (vector-ref #(1) 9)) (lambda a 'caught))) (newline) (display (expt 7 300)) (newline) (display (status:exit-val (system* "sh" "-c" "exit 3"))) (newline) (exit 4)
END
GUILE_AUTO_COMPILE=0 guile -q a.scm; echo "guile $?"
"""),
    "packages": (("apt-get", "dpkg", "apt-cache", "gpg"), r"""
dpkg -l | wc -l; apt-cache show bash | grep -c ^Package; apt-get -s -q install cowsay 2>&1 | tail -n 1 | cut -c 1-20; dpkg -S /bin/ls; dpkg --compare-versions 1.0 lt 2.0; echo "dpkg $?"; dpkg-query -W -f '${Package}\n' | cksum
mkdir -p p/DEBIAN h && printf 'Package: zoo\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' >p/DEBIAN/control; dpkg-deb -b p z.deb >/dev/null; echo "build $?"; dpkg-deb -f z.deb Package; dpkg -c z.deb | wc -l
chmod 700 h; export GNUPGHOME=$PWD/h; gpg -q --batch --passphrase '' --quick-gen-key zoo@zoo ed25519 2>/dev/null; echo "key $?"; seq 1000 >t; gpg -q --batch --trust-model always -e -s -r zoo@zoo -o t.gpg t 2>/dev/null; echo "encrypt $?"; gpg -q --batch -d t.gpg 2>/dev/null | cksum; gpgconf --kill all; echo "kill $?"
"""),
    "system": (("systemd-tmpfiles", "script", "flock", "ldconfig"), r"""
echo "d $PWD/made 0700" >c; systemd-tmpfiles --create $PWD/c; ls -d made; systemd-escape 'a b/c'; systemd-analyze calendar '2030-01-01' 2>/dev/null | grep -c 2030; journalctl --version | grep -c systemd; udevadm --version | wc -l; systemd-detect-virt --list | wc -l
script -qec 'tty | cut -c 1-9; exit 3' /dev/null; echo "script $?"; flock l sh -c 'flock -n l true; echo "second $?"'; nice -n 5 ionice -c 3 taskset 1 chrt -o 0 setsid -w sh -c 'exit 6'; echo "wrappers $?"; prlimit --nofile=50 --as=4000000000 sh -c 'ulimit -n'; timeout 0.2 sleep 5; echo "timeout $?"
ldconfig -p | wc -l; ldd /bin/ls | grep -vc perfshim; getent passwd root; locale -a | wc -l; findmnt -n -o FSTYPE /proc; lsblk --version | wc -l; mountpoint -q /proc; echo "mountpoint $?"; hexdump -C </bin/ls | cksum; column -t </etc/passwd | wc -l; look zzz /dev/null; echo "look $?"; stdbuf -o0 seq 3 | tail -n 1; cal 1 2030 2>/dev/null | wc -l; chroot / true; echo "chroot $?"
"""),
}
