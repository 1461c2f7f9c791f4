# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of attaching share: vnet-switch and attach_client, which are the
first two arguments, a host at a port of type stream, and what is expected.
"""
import contextlib
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

VNET_SWITCH = os.path.abspath(sys.argv[1])
WORK = tempfile.mkdtemp(prefix="vnet-attach-")
os.chmod(WORK, 0o755)
# Where every user can run it.
CLIENT = shutil.copy(sys.argv[2], WORK)
os.chmod(CLIENT, 0o755)
PATIENCE = 30
NOBODY = 65534
BROADCAST = "ff" * 6
HOST = "020000000099"
IS_ROOT = os.geteuid() == 0
ENVIRONMENT = dict(os.environ)
ENVIRONMENT["ASAN_OPTIONS"] = ":".join(
    [ENVIRONMENT.get("ASAN_OPTIONS", ""), "quarantine_size_mb=1"]
).strip(":")


def eventually(what, expected=True):
    """Until it is so; what it is in the end."""
    end = time.monotonic() + PATIENCE
    while True:
        found = what()
        if found == expected or time.monotonic() > end:
            return found
        time.sleep(0.01)


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def frame(destination, source, text, length=60):
    """In hex, of an experimental EtherType."""
    octets = bytes.fromhex(destination + source + "88b5") + text.encode()
    return octets.ljust(length, b"\0").hex()


def text_of(octets):
    return bytes.fromhex(octets)[14:].rstrip(b"\0").decode(errors="replace")


class Control:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, do, **keys):
        self.socket.sendall(json.dumps({"do": do, **keys}).encode() + b"\n")
        whole = None
        while True:
            answer = json.loads(self.file.readline())
            if not answer["ok"]:
                return answer
            piece = answer.get("result")
            whole = piece if whole is None else whole + piece
            if not answer.get("more"):
                return {**answer, "result": whole}

    def get(self, do, **keys):
        answer = self.ask(do, **keys)
        equal(answer.get("error"), None, do)
        return answer["result"]

    def refuses(self, error, do, **keys):
        answer = self.ask(do, **keys)
        if error not in answer.get("error", ""):
            raise AssertionError(f"{do}: found {answer}, expected {error!r}")


class Switch:
    """vnet-switch with a configuration, and with options."""

    def __init__(self, ports, options=(), name="control", **more):
        self.config = {"switch": {"max_clients": 400}, "ports": ports}
        self.config.update(more)
        self.options = options
        self.path = os.path.join(WORK, name)
        self.attach = self.path + ".attach"
        self.file = os.path.join(WORK, name + ".conf")
        self.log = open(os.path.join(WORK, name + ".log"), "w+")
        self.start()

    def start(self):
        self.write()
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [VNET_SWITCH, "-c", self.file, "--socket", self.path,
             "--ready-fd", str(write), *self.options],
            pass_fds=[write], stderr=self.log, env=ENVIRONMENT,
        )
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                self.process.wait(PATIENCE)
                raise AssertionError("no start: " + self.said())
        self.control = Control(self.path)

    def kill(self):
        self.control.socket.close()
        self.process.kill()
        self.process.wait(PATIENCE)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def write(self):
        with open(self.file, "w") as conf:
            for key, value in self.config.items():
                conf.write(f"{key} = {libconfig(value)};\n")

    def reload(self):
        self.write()
        self.control.get("config reload")

    def port(self, name):
        return next(p for p in self.config["ports"] if p["name"] == name)

    def clients(self, port=None):
        keys = {"port": port} if port else {}
        return [c["client"] for c in self.control.get("client show", **keys)]

    def stats(self, port):
        stats = self.control.get("stats", port=port)
        equal(stats["balanced"], True, "the sums")
        return stats["ports"][0]

    def descriptors(self):
        # What the thread that controls was at is done then.
        self.control.get("show")
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def spare_kib(self):
        """What memory may grow by; a sanitizer keeps what is freed."""
        with open(f"/proc/{self.process.pid}/maps") as maps:
            return 32768 if "san.so" in maps.read() else 2048

    def __enter__(self):
        return self

    def end(self):
        self.control.socket.close()
        self.process.terminate()
        equal(self.process.wait(PATIENCE), 0, self.said())
        equal(os.path.exists(self.attach), False, "its socket is left")

    def __exit__(self, kind, *_):
        if kind:
            print(self.said())
        self.end()


def libconfig(value):
    if isinstance(value, dict):
        inner = " ".join(f"{k} = {libconfig(v)};" for k, v in value.items())
        return "{ " + inner + " }"
    if isinstance(value, list):
        return "( " + ", ".join(libconfig(v) for v in value) + " )"
    return json.dumps(value)


class Lines:
    """What a process says, line by line."""

    def __init__(self, process):
        self.process = process
        self.queue = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def next(self):
        return self.queue.get(timeout=PATIENCE)


def run_client(path, vif, *arguments, who=None, fds=()):
    user = {"pass_fds": fds}
    if who is not None:
        user.update(user=who[0], group=who[1], extra_groups=who[2:])
    return subprocess.Popen(
        [CLIENT, path, vif, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=ENVIRONMENT, cwd=WORK, **user,
    )


class Client:
    """attach_client PATH VIF talk"""

    def __init__(self, path, vif="-", who=None, fds=()):
        self.process = run_client(path, vif, "talk", who=who, fds=fds)
        self.lines = Lines(self.process)
        self.got = []
        first = self.lines.next().split(" ")
        if first[0] == "is":
            _, self.vif, index, mac, mtu = first
            self.index, self.mtu = int(index), int(mtu)
            self.mac = mac.replace(":", "")
            self.error = None
        else:
            self.error = " ".join(first)
            self.end()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        """What it says beside frames, which are noted."""
        while True:
            line = self.lines.next()
            if line is None or not line.startswith("got "):
                return line
            self.got.append(text_of(line[4:]))

    def ask(self, line):
        self.tell(line)
        return self.hear()

    def send(self, octets):
        equal(self.ask("send " + octets), "done", "send")

    def hears(self, last):
        """All frames up to this one."""
        while last not in self.got:
            line = self.lines.next()
            if line is None or not line.startswith("got "):
                raise AssertionError(f"said {line!r}, expected {last!r}")
            self.got.append(text_of(line[4:]))
        got, self.got = self.got, []
        return got

    def ends(self):
        """The switch ends it."""
        equal(self.hear(), "end")
        self.end()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.end()

    def __enter__(self):
        equal(self.error, None, "attach")
        return self

    def __exit__(self, *_):
        self.end()


class Host:
    """The peer of the stream port, in QEMU's framing."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)

    def send(self, octets):
        data = bytes.fromhex(octets)
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise AssertionError("the switch has hung up")
            data += piece
        return data

    def hears(self, last):
        got = []
        while last not in got:
            (n,) = struct.unpack(">I", self.read(4))
            got.append(text_of(self.read(n).hex()))
        return got

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


OUT = {"type": "stream", "name": "out", "path": os.path.join(WORK, "out")}


def host_at(switch):
    """When the switch has taken it: it is heard there."""
    host = Host(OUT["path"])
    equal(eventually(lambda: switch.clients("out"), ["out/0"]), ["out/0"])
    return host


def run(tests):
    """Those that are named behind the first two arguments, or all."""
    try:
        for test in tests:
            if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
                continue
            begin = time.monotonic()
            print(test.__name__.replace("_", " "), flush=True)
            test()
            print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        shutil.rmtree(WORK)
