# SPDX-License-Identifier: BSD-2-Clause
"""What churn.py works with: the switch, connections to it, those that make
traffic; and what is expected.
"""
import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

VNET_SWITCH, TRAFFIC, ATTACH_CLIENT, WORK = sys.argv[1:5]
PATIENCE = 40
BOUNDS = {
    "max_ports": 10, "max_clients": 24, "max_rules": 24, "max_insns": 200,
    "fdb_entries": 512, "queue_octets": 131072, "ageing_s": 2,
    "flap_moves": 4, "loop_probe_s": 1, "pool_octets": 1 << 19,
}


def once_it_is(what, expected=True, because=""):
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    found = what()
    while found != expected:
        if time.monotonic() > end:
            raise AssertionError(
                f"{because}: found {found!r}, expected {expected!r}")
        time.sleep(0.02)
        found = what()


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(
            f"{what}: found {found!r}, expected {expected!r}")


def libconfig(value):
    if isinstance(value, dict):
        inner = " ".join(f"{k} = {libconfig(v)};" for k, v in value.items())
        return "{ " + inner + " }"
    if isinstance(value, list):
        return "( " + ", ".join(libconfig(v) for v in value) + " )"
    return json.dumps(value)


class Control:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.id = 0

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise AssertionError(f"an answer ends in {line[-100:]!r}")
        return json.loads(line)

    def ask(self, do, **keys):
        """The result or None, and why it is refused or None."""
        self.id += 1
        line = {"do": do, "id": self.id, **keys}
        self.socket.sendall(json.dumps(line).encode() + b"\n")
        whole = []
        while True:
            answer = self.read()
            equal(answer.get("id"), self.id, f"the id of {do}")
            if answer["ok"] is not True:
                equal(answer["ok"], False, do)
                complaints = answer.get("complaints", [answer["error"]])
                return None, complaints
            if not answer.get("more"):
                break
            whole += answer["result"]
        result = answer.get("result")
        return (whole + result if isinstance(result, list) else result), None

    def get(self, do, **keys):
        result, why = self.ask(do, **keys)
        equal(why, None, do)
        return result

    def close(self):
        self.file.close()
        self.socket.close()


class Process:
    """One that makes traffic."""

    def __init__(self, switch, *arguments, host=None):
        enter = ["ip", "netns", "exec", host] if host else []
        self.said = open(os.path.join(WORK, "traffic"), "a+")
        self.process = subprocess.Popen(
            ["nice", *enter, TRAFFIC, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
            text=True, env=switch.of_traffic, cwd=WORK)
        self.pid = self.process.pid
        self.is_killed = False

    def tell(self, text):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(text)
            self.process.stdin.flush()

    def send_signal(self, number):
        self.is_killed |= number == signal.SIGKILL
        self.process.send_signal(number)

    def end(self):
        if not self.is_killed:
            self.send_signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        if status != 0 and not (self.is_killed and status == -signal.SIGKILL):
            self.said.seek(0)
            raise AssertionError(
                f"{self.process.args} ends with {status}: {self.said.read()}")
        self.said.close()


class Session(Process):
    """A client of a vif. It has no name until it is welcome."""

    def __init__(self, switch, vif, seed, born):
        super().__init__(switch, "session", switch.path + ".attach", vif, seed)
        self.name = None
        self.is_over = False
        self.is_new = True
        self.born = born
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.hear, daemon=True)
        self.reader.start()

    def hear(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put("end")

    def look(self):
        with contextlib.suppress(queue.Empty):
            while True:
                word, _, rest = self.lines.get_nowait().partition(" ")
                if word == "is":
                    self.name = rest
                elif word in ("end", "failed"):
                    self.is_over = True
                else:
                    raise AssertionError(f"a session says {word} {rest}")
        return self

    def end(self):
        if not self.is_killed:
            self.send_signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.reader.join()
        super().end()


class Switch:
    def __init__(self):
        self.path = os.path.join(WORK, "control")
        self.file = os.path.join(WORK, "conf")
        self.log = open(os.path.join(WORK, "log"), "w+")
        self.environment = dict(os.environ)
        self.set_option("ASAN_OPTIONS", "quarantine_size_mb=1")
        self.set_option("TSAN_OPTIONS", "halt_on_error=1")
        # One that is stopped while it looks for leaks never ends.
        self.of_traffic = dict(self.environment)
        self.of_traffic["ASAN_OPTIONS"] += ":detect_leaks=0"
        self.write([])
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [VNET_SWITCH, "-c", self.file, "--socket", self.path,
             "--ready-fd", str(write)],
            pass_fds=[write], stderr=self.log, env=self.environment)
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                raise AssertionError("no start: " + self.said())

    def set_option(self, name, option):
        options = [self.environment.get(name, ""), option]
        self.environment[name] = ":".join(options).strip(":")

    def write(self, ports, **more):
        config = {"switch": BOUNDS, "ports": ports, **more}
        with open(self.file, "w") as conf:
            for key, value in config.items():
                conf.write(f"{key} = {libconfig(value)};\n")

    def said(self):
        self.log.seek(0)
        return "".join(self.log.readlines()[-60:])

    def is_running(self):
        return self.process.poll() is None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1])

    def end(self):
        self.process.terminate()
        equal(self.process.wait(PATIENCE), 0, "the end of vnet-switch")
        said = self.said()
        for word in "Sanitizer", "runtime error", "sums do not agree":
            equal(word in said, False, said)
