#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dlopen and dlclose: the sections of a plug-in outlive it, and loaded again it is
# no other one: a stack is one site, whatever was unloaded between.
. "$E2E/lib.sh"

run_both "$T/plugin" "$T/libplugin.so"
json
expect 'section("plugin_section")["calls"] == 100' 'section("host_section")["calls"] == 5' \
	'section("plugin_section")["allocations"] == 100' \
	'section("plugin_section")["bytes"] == 100 * 100 * 1000' \
	'section("host_section")["total_s"] >= section("plugin_section")["total_s"]'
run_shim PERFSHIM_SAMPLE=all "$T/plugin" "$T/libplugin.so"
same_output
report
report_has plugin_allocate plugin_section host_section
json
expect '[s["allocations"] for s in heap["sites"] if any("plugin_allocate" in f for f in s["stack"])] == [100]'
