#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# languages: sections with names made at run time, from Python and from Rust.
. "$E2E/lib.sh"
need python3

cat >marks.py <<'END'
import contextlib, ctypes
here = ctypes.CDLL(None)  # the program itself, and what is preloaded

@contextlib.contextmanager
def section(name):
    if hasattr(here, "perfshim_begin"):
        here.perfshim_begin(name.encode())
    try:
        yield
    finally:
        if hasattr(here, "perfshim_end"):
            here.perfshim_end(name.encode())

def add(what, n):
    if hasattr(here, "perfshim_add"):
        here.perfshim_add(ctypes.c_uint32(what), ctypes.c_uint64(n))

for i in range(20):
    with section("request"):
        for table in ("users", "orders"):
            with section("query " + table):
                add(1, 3)
        try:
            with section("failing"):
                raise ValueError
        except ValueError:
            pass
# One that follows nothing is ignored.
if hasattr(here, "perfshim_pool_leave"):
    here.perfshim_pool_leave()
print("done")
END
run_both python3 marks.py
equal 'done' "$(<shim.out)" 'the output of marks.py'
json
expect 'section("request")["calls"] == 20' 'section("query users")["calls"] == 20' \
	'section("query orders")["work"]["items"] == 60' 'section("failing")["calls"] == 20'
folded=$("$B/perfreport" --folded=time "$(recording)")
has "$folded" ';request;query users [0-9]+' 'the folded stacks'

type -P rustc >/dev/null || exit 0
cat >marks.rs <<'END'
use std::ffi::{c_char, c_void, CStr, CString};
extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}
type Mark = extern "C" fn(*const c_char);
fn find(name: &CStr) -> Option<Mark> {
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    if found.is_null() { None } else { Some(unsafe { std::mem::transmute::<*mut c_void, Mark>(found) }) }
}
struct Section(CString);
impl Section {
    fn new(name: &str) -> Section {
        let name = CString::new(name).unwrap();
        if let Some(begin) = find(c"perfshim_begin") { begin(name.as_ptr()) }
        Section(name)
    }
}
impl Drop for Section {
    fn drop(&mut self) {
        if let Some(end) = find(c"perfshim_end") { end(self.0.as_ptr()) }
    }
}
fn main() {
    let mut sum = 0;
    for i in 0..10 {
        let _outer = Section::new("parse");
        for k in 0..3 {
            let _inner = Section::new(&format!("field {k}"));
            sum += i * k;
        }
    }
    println!("{sum}");
}
END
rustc --edition 2021 -O -o marks marks.rs >rustc.log 2>&1 || fail 'rustc to build' "$(head -n 5 rustc.log)"
run_both ./marks
json
expect 'section("parse")["calls"] == 10' 'section("field 2")["calls"] == 10' \
	'[n["calls"] for n in section_tree if n["name"] == "field 0"] == [10]'
