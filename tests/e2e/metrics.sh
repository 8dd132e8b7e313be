#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Prometheus: promtool accepts what we write, a server scrapes it and answers.
. "$E2E/lib.sh"

need promtool prometheus curl

# accepted FILE: by promtool.
accepted()
{
	promtool check metrics <"$1" >promtool.out 2>&1 ||
		fail "promtool to accept $1" "$(head -n 5 promtool.out)"
}

# PERFSHIM_METRICS: written at the end, whole, with the process's own figures.
run_shim PERFSHIM_METRICS="$PWD/%e.prom" "$T/sections"
json
accepted sections.prom
name=$(value 'r["sections"][0]["name"]')
calls=$(value 'r["sections"][0]["calls"]')
has "$(<sections.prom)" "perfshim_section_duration_seconds_count\{pid=\"$(<shim.pid)\",exe=\"sections\",section=\"$name\"\} $calls"$'\n' \
	'the metrics at exit'
has "$(<sections.prom)" "perfshim_heap_allocations_total\{[^}]*\} $(value 'heap["allocations"]')"$'\n' 'the metrics at exit'
equal 'sections.prom' "$(echo sections.prom*)" 'what is left of the new file'
run_shim PERFSHIM_METRICS=/nowhere/x.prom "$T/sections"
equal 0 "$(<shim.status)" 'the status when metrics cannot be written'
has "$(<shim.err)" 'PERFSHIM_METRICS=/nowhere/x.prom: not written' 'the line about it'

# What is no regular file is written to and stays what it is.
mkfifo pipe.prom && { timeout 20 cat pipe.prom >piped.prom & } && reader=$!
run_shim PERFSHIM_METRICS="$PWD/pipe.prom" "$T/sections"
wait "$reader"
[ -p pipe.prom ] || fail 'the pipe to be still there'
accepted piped.prom
has "$(<piped.prom)" 'perfshim_heap_allocations_total' 'the metrics in the pipe'

# --metrics: the same from outside, for node_exporter's textfile collector.
"$B/perfreport" --metrics out.prom rec || fail 'perfreport --metrics to work'
accepted out.prom
has "$(<out.prom)" "perfshim_section_duration_seconds_count\{[^}]*section=\"$name\"\} $calls"$'\n' '--metrics'
timeout 20 cat pipe.prom >piped.prom & reader=$!
"$B/perfreport" --metrics pipe.prom rec || fail 'perfreport --metrics to work with a pipe'
wait "$reader"
[ -p pipe.prom ] || fail 'the pipe to be still there'
cmp -s out.prom piped.prom || fail 'the same in a pipe'
equal 644 "$(stat -c %a out.prom)" 'the mode of the textfile'
"$B/perfreport" --metrics - rec >out2.prom
cmp -s out.prom out2.prom || fail 'the same on standard output' "$(diff out.prom out2.prom | head -n 4)"
"$B/perfreport" --metrics out.prom /nowhere 2>err
equal 1 $? 'the status for a directory that is not there'

# --serve, a live process, and a server that scrapes.
rm -rf rec && mkdir rec
env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none PERFSHIM_ALERT_TO=none \
	PERFSHIM_ALERT='info: section(round).p99 > 1ns over 1s' "$T/leak" small 50 2>/dev/null &
leak=$!
"$B/perfreport" --serve 0 rec 2>serve.err &
server=$!
trap 'kill $leak $server $prometheus 2>/dev/null' EXIT
prometheus=''
for ((i = 0; i < 200; i++)); do grep -q 'http://' serve.err && break; sleep 0.02; done
url=$(grep -o 'http://[^ ]*' serve.err) || fail 'perfreport --serve to say where' "$(<serve.err)"
has "$url" '^http://127\.0\.0\.1:[0-9]+/metrics$' 'where it listens by default'
base=${url%/metrics}
sleep 1
curl -s -D head.txt "$url" >scraped.prom
accepted scraped.prom
has "$(<head.txt)" '^HTTP/1.1 200.*text/plain; version=0\.0\.4' 'the head of the answer'
has "$(<scraped.prom)" "perfshim_alerts_total\{pid=\"$leak\",exe=\"leak\",severity=\"info\"\} 1"$'\n' 'the alert among the metrics'
equal ok "$(curl -s "$base/healthz")" '/healthz'
has "$(curl -s "$base/report/$leak")" 'leak  pid .*still running.*forget' '/report/PID'
curl -s "$base/report/$leak.json" >report.json
python "$E2E/expect.py" validate report.json || exit 1
for path in / /report/ /report/1x /report/99999999 /report/../../etc/passwd /metricsx; do
	equal 404 "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' "$base$path")" "the status of $path"
done
equal 405 "$(curl -s -X DELETE -o /dev/null -w '%{http_code}' "$url")" 'the status of DELETE'
equal '' "$(curl -s --head "$url" | sed '1,/^\r$/d')" 'the body of HEAD'

# A real Prometheus, with our rules file.
port=$((20000 + $$ % 20000))
cat >prometheus.yml <<END
global: {scrape_interval: 200ms, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: perfshim, static_configs: [{targets: ['${base#http://}']}]}]
END
promtool test rules "$E2E/../../share/prometheus-rules-test.yml" >promtool.out 2>&1 ||
	fail 'the rules to raise what their test says' "$(<promtool.out)"
cp "$E2E/../../share/prometheus-rules.yml" rules.yml
promtool check config prometheus.yml >promtool.out 2>&1 || fail 'promtool to accept the configuration' "$(<promtool.out)"
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$port" \
	>prometheus.log 2>&1 &
prometheus=$!
query='histogram_quantile(0.99, sum by (le, section) (rate(perfshim_section_duration_seconds_bucket{section="round"}[5s])))'
for ((i = 0; i < 100; i++)); do
	curl -s "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$query" >answer 2>/dev/null
	grep -q '"value":\[[0-9.]*,"[0-9.e-]*"\]' answer && break
	sleep 0.2
done
python - answer "$base" "$leak" <<'END' || exit 1
import json, sys, urllib.request
answer = json.load(open(sys.argv[1]))
result = answer["data"]["result"]
assert len(result) == 1 and result[0]["metric"]["section"] == "round", answer
p99 = float(result[0]["value"][1])
report = json.load(urllib.request.urlopen("%s/report/%s.json" % (sys.argv[2], sys.argv[3])))
own = [s for s in report["sections"] if s["name"] == "round"][0]
# The buckets are 1-2-5: within one of them, of a p99 over another span of time.
assert own["p50_s"] < p99 * 10 and p99 < own["max_s"] * 5, (p99, own)
END
curl -s "http://127.0.0.1:$port/api/v1/rules" >answer
has "$(<answer)" 'PerfshimHeapGrows' "the server's rules"
# Each query of the dashboard has data, and each rule can be evaluated.
queries=$(python "$E2E/dashboard.py" "$E2E/../../share/grafana-dashboard.json" "http://127.0.0.1:$port") ||
	fail 'the dashboard to show something' "$queries"
has "$queries" '^1[0-9] queries$' 'what was asked'
for ((i = 0; i < 50; i++)); do
	curl -s "http://127.0.0.1:$port/api/v1/rules" >answer
	grep -q '"health":"unknown"' answer || break
	sleep 0.2
done
equal 6 "$(grep -o '"health":"ok"' answer | wc -l)" 'the rules that could be evaluated'

# The directory goes and comes back; the server says so and goes on.
kill -KILL $leak
mv rec gone
equal 503 "$(curl -s -o /dev/null -w '%{http_code}' "$base/healthz")" '/healthz without the directory'
equal 200 "$(curl -s -o /dev/null -w '%{http_code}' "$url")" 'the status of /metrics without the directory'
mv gone rec
equal 200 "$(curl -s -o /dev/null -w '%{http_code}' "$base/healthz")" '/healthz when it is back'
kill -TERM $server
wait $server
equal 0 $? 'the status of perfreport --serve after SIGTERM'
server=''

# Where to listen.
for where in 70000 1:2:3 :80 x '[::1' localhost:1; do
	"$B/perfreport" --serve "$where" rec 2>err
	equal 2 $? "the status for --serve $where ($(<err))"
done
