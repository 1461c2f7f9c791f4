#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""demo.py BUILD WORK: scripts/demo shows what it says, and leaves nothing.

With the programs that are built in BUILD. Once to its end, and then ended at
some moments by what Ctrl-C sends: no process, no file and no namespace is left,
and the JSON has all steps.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

STEPS = "ping4 ping6 tcp filter capture fdb balance cleanup".split()

# Seconds behind the start.
MOMENTS = (0.03, 0.1, 0.3, 0.6, 1, 2, 4, 7, 11, 16)

SKIP = 77


def namespaces():
    return subprocess.run(
        ["ip", "netns", "list"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout


def session(sid):
    """Its processes that are alive."""
    alive = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # gone since
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            alive.append(stat.parent.name)
    return alive


class Demo:
    def __init__(self, build, work):
        self.work = work
        shutil.rmtree(work, ignore_errors=True)
        self.tmp = work / "tmp"
        self.tmp.mkdir(parents=True)
        self.json = work / "steps.json"
        self.log = work / "log"
        self.started = time.monotonic()
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [
                    pathlib.Path("scripts/demo").resolve(), "--build",
                    pathlib.Path(build).resolve(), "--json", self.json.name,
                ],
                cwd=work, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
                env=dict(os.environ, TMPDIR=str(self.tmp)),
            )

    def fail(self, what):
        for pid in session(self.process.pid):
            os.kill(int(pid), signal.SIGKILL)
        sys.exit(f"{what}\n{self.log.read_text()}")

    def end(self):
        """Its exit status, and the steps that held."""
        try:
            status = self.process.wait(100)
        except subprocess.TimeoutExpired:
            self.fail("does not end")
        took = time.monotonic() - self.started
        # The kernel may still be at the last of them.
        limit = time.monotonic() + 1
        while left := session(self.process.pid):
            if time.monotonic() > limit:
                self.fail(f"processes are left: {left}")
            time.sleep(0.01)
        if any(self.tmp.iterdir()):
            self.fail(f"files are left: {list(self.tmp.iterdir())}")
        names = {path.name for path in self.work.iterdir()}
        if names - {"tmp", "log", "steps.json"}:
            self.fail(f"files are left: {names}")
        if not self.json.exists():
            return status, None, took
        steps = json.loads(self.json.read_text())["steps"]
        if [step["name"] for step in steps] != STEPS:
            self.fail(f"steps: {steps}")
        return status, [step["name"] for step in steps if step["ok"]], took


def need():
    enter = ["unshare", "-nmpf", "--mount-proc"]
    if os.geteuid() != 0:
        enter += ["-U", "--map-user=1000", "--map-group=1000", "--keep-caps"]
    if subprocess.run([*enter, "true"], stderr=subprocess.DEVNULL).returncode:
        print("skipped: cannot make namespaces")
        sys.exit(SKIP)
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        print("skipped: /dev/net/tun is not there, or not for this user")
        sys.exit(SKIP)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for tool in "ip iperf3 jq ping tcpdump".split():
        if not shutil.which(tool):
            print(f"skipped: no {tool} (scripts/deps test gets it)")
            sys.exit(SKIP)


def main():
    build, work = sys.argv[1], pathlib.Path(sys.argv[2])
    # As in a shell: one that was ignored at the start cannot be caught.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    need()
    before = namespaces()

    demo = Demo(build, work)
    status, held, whole = demo.end()
    if status != 0 or held != STEPS or whole > 60:
        demo.fail(f"ends with {status} after {whole:.0f} s, held: {held}")
    print(f"all steps held, {whole:.1f} s")

    for moment in MOMENTS:
        demo = Demo(build, work)
        time.sleep(moment)
        demo.process.send_signal(signal.SIGINT)
        status, held, took = demo.end()
        print(f"interrupted after {moment} s: {took - moment:.2f} s, {held}")
        if moment > whole:
            continue
        # The shell may not have come to its traps.
        if status not in (130, -signal.SIGINT) and moment < whole / 2:
            demo.fail(f"ends with {status}")
        if held is None and status == 130 or took > moment + 5:
            demo.fail(f"no JSON, or too late: {took - moment:.1f} s")

    if namespaces() != before:
        sys.exit("namespaces are left")


main()
