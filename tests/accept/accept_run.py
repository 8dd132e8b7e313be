# SPDX-License-Identifier: MIT
"""accept_run: one run of a part of a suite: where, with which environment, for how
long; and where the sources of a suite come from."""
import os
import shutil
import signal
import subprocess


class Skip(Exception):
    """Why a suite cannot run here."""


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Skip("%s is not installed" % tool)


def clean_environment():
    """Ours without what would change a suite's answers."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PERFSHIM_", "LD_", "MAKE", "MFLAGS"))}
    return dict(kept, LC_ALL="C", TZ="UTC", PAGER="cat")


class Run:
    """A directory, and the environment of what is started in it."""

    def __init__(self, folder, env, is_recorded):
        self.folder, self.recordings = folder, None
        self.preload = dict(env)
        if is_recorded:
            self.recordings = os.path.join(folder, "rec")
            os.makedirs(self.recordings, exist_ok=True)
            self.preload["PERFSHIM_OUT"] = self.recordings

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, command, log, seconds, cwd=None, env=None, user=None):
        """The status of a command under the preload; 'hang' when it had to be killed.

        What it writes goes to the file `log`.  The time-out is here, so that no
        timeout(1) is preloaded; what the command leaves behind is ended, too.
        """
        told = dict(clean_environment(), **self.preload, **(env or {}))
        with open(self.path(log), "wb") as out:
            child = subprocess.Popen(command, cwd=cwd or self.folder, env=told, stdout=out,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                     start_new_session=True, user=user, group=user,
                                     extra_groups=[] if user else None)
            try:
                return child.wait(seconds)
            except subprocess.TimeoutExpired:
                return "hang"
            finally:
                self.end(child)

    @staticmethod
    def end(child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()

    def text(self, log):
        with open(self.path(log), encoding="utf-8", errors="replace") as f:
            return f.read()


def built(command, cwd, log):
    """A step of preparing: not under the preload; Skip when it fails."""
    with open(log, "ab") as out:
        done = subprocess.run(command, cwd=cwd, env=clean_environment(), stdout=out,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise Skip("%s failed, see %s" % (" ".join(command)[:60], log))


def unpacked(place, package):
    """The directory of the unpacked source of a package, or None."""
    for folder in (os.environ.get("ACCEPT_SRC", place), place):
        if not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.startswith(package + "-") and os.path.isdir(path):
                return path
    return None


def source(place, package):
    """The source of a Debian package, from ACCEPT_SRC or by apt-get, with lists of our
    own, so that the machine's are as they were."""
    found = unpacked(place, package)
    if found:
        return found
    need("apt-get", "dpkg-source")
    lists, parts = os.path.join(place, "lists"), os.path.join(place, "sources.list.d")
    log = os.path.join(place, package + ".log")
    apt = ["apt-get", "-q", "-o", "Dir::Etc::sourceparts=" + parts, "-o", "Dir::State::lists=" + lists,
           "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "APT::Sandbox::User="]
    if not os.path.isdir(parts):
        os.makedirs(os.path.join(lists, "partial"), exist_ok=True)
        os.makedirs(parts)
        with_sources(parts)
        built([*apt, "update"], place, log)
    for version in versions(apt, package):
        try:
            built([*apt, "source", "%s=%s" % (package, version)], place, log)
        except Skip:
            continue  # a mirror may list a version that it no longer has
        return unpacked(place, package)
    raise Skip("no source of %s, see %s" % (package, log))


def versions(apt, package):
    """What the lists have of a source package, the last one of them first."""
    shown = subprocess.run(["apt-cache", *apt[2:], "showsrc", package], env=clean_environment(),
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    found = [line.split(": ", 1)[1] for line in shown.stdout.splitlines() if line.startswith("Version: ")]
    return list(reversed(found))


def with_sources(parts):
    """The machine's own lists, with the source packages of each."""
    there = "/etc/apt/sources.list.d"
    for name in os.listdir(there) if os.path.isdir(there) else []:
        if name.endswith(".sources"):
            with open(os.path.join(there, name), encoding="utf-8") as f:
                text = f.read()
            with open(os.path.join(parts, name), "w", encoding="utf-8") as f:
                f.write(text.replace("Types: deb\n", "Types: deb deb-src\n"))
    if os.path.exists("/etc/apt/sources.list"):
        with open("/etc/apt/sources.list", encoding="utf-8") as f:
            lines = [line for line in f if line.startswith("deb ")]
        with open(os.path.join(parts, "own.list"), "w", encoding="utf-8") as f:
            f.writelines(lines + ["deb-src" + line[3:] for line in lines])
