#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""man.py VNET_SWITCH VNETCTL VNET_PLUG COMPILER LIBRARY TAP_LIBRARY WORK: the manual pages
are right.

They are clean; they name every option, command and key of the programs, every
reason of a drop and every event; and their examples work.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

PAGES = {path.name: path for path in pathlib.Path("man").iterdir()}


def run(*command):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")
    return done.stdout


def text(page):
    """As it is read, on one line, without bold and underlined letters."""
    shown = run("mandoc", "-T", "utf8", "-O", "width=1000", PAGES[page])
    return " ".join(re.sub(".\b", "", shown).split())


def literal(page, heading):
    """The blocks below a heading that are shown as they are."""
    source = PAGES[page].read_text().split(f"\n.Sh {heading}\n")[1]
    source = source.split("\n.Sh ")[0]
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", source, re.M | re.S):
        yield block.replace("\\e", "\\").replace("\\&", "")


def has(word, shown):
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown)


def options(help_text):
    """Short and long ones, as they stand in front of a line."""
    for line in help_text.splitlines():
        if re.match(r"\s+-", line):
            yield from re.findall(
                r"(?<![\w-])--?[A-Za-z][\w-]*", line.strip().split("  ")[0]
            )


def names(source, pattern):
    found = re.findall(pattern, pathlib.Path(source).read_text(), re.M)
    if not found:
        sys.exit(f"{source}: has nothing like {pattern}")
    return found


def missing(vnet_switch, vnetctl, vnet_plug):
    """What is not in the pages."""
    shown = text("vnet-switch.8")
    words = set(options(run(vnet_switch, "--help")))
    if len(words) < 10:
        sys.exit(f"vnet-switch --help: only {words}")
    yield from (f"vnet-switch.8: {w}" for w in words if not has(w, shown))

    shown = text("vnetctl.8")
    words = set(options(run(vnetctl, "--help")))
    for line in run(vnetctl, "--list-commands").splitlines():
        command = re.split(r"\t", line)[0]
        words.add(command)
        words.update(options(run(vnetctl, *command.split(), "--help")))
    words.update(
        names("src/core/client.c", r'\[VNET_DROP_(?!NONE)\w+\] = "(\w+)"')
    )
    words.update(names("src/core/event.c", r'\[VNET_EVENT_\w+\] = "(\w+)"'))
    yield from (f"vnetctl.8: {w}" for w in words if not has(w, shown))

    shown = text("vnet-plug.8")
    words = set(options(run(vnet_plug, "--help")))
    yield from (f"vnet-plug.8: {w}" for w in words if not has(w, shown))

    # Of a task that has no way to be asked.
    shown = text("vnet-mach.8")
    words = {"--" + w for w in names("examples/vnet-mach/options.c", OPTION)}
    words.add("--switch")  # the supervisor's
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown))
    yield from (f"vnet-mach.8: {w}" for w in words - told)
    yield from (f"vnet-mach.8: {w} is no option" for w in told - words - HURD)

    shown = text("vnet-switch.conf.5")
    words = names("examples/vnet-switch/keys.c", KEY)
    yield from (f"vnet-switch.conf.5: {w}" for w in words if not has(w, shown))

    shown = text("libvnet.7")
    headers = pathlib.Path("include/vnet").glob("*.h")
    yield from (
        f"libvnet.7: {h.name}" for h in headers if not has(f"vnet/{h.name}", shown)
    )


def compile_example(compiler, work, name, source, *libraries):
    (work / f"{name}.c").write_text(source)
    run(
        compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
        "-I", "include", "-o", work / name, work / f"{name}.c", *libraries,
    )
    return work / name


# In a namespace: a frame that one host sends is received by the other.
TWO_HOSTS = """
import socket, subprocess, sys, time

def open_socket(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
    s.bind((name, 0x88b5))
    s.settimeout(0.1)
    return s

program = subprocess.Popen([sys.argv[1], "t0", "t1"])
frame = b"\\xff" * 6 + b"\\2\\0\\0\\0\\0\\1\\x88\\xb5" + b"hello" * 10
end = time.monotonic() + 20
received = b""
while received != frame and program.poll() is None and time.monotonic() < end:
    try:
        with open_socket("t0") as a, open_socket("t1") as b:
            a.send(frame)
            received = b.recv(2048)
    except OSError:
        time.sleep(0.02)
program.kill()
print("received" if received == frame else "lost")
"""


def forwards(example):
    """Does the second example? None where that cannot be tried."""
    enter = ["unshare", "-n" if os.geteuid() == 0 else "-Urn"]
    tun = "/dev/net/tun"
    if not os.access(tun, os.R_OK | os.W_OK) or subprocess.call(
        [*enter, "true"], stderr=subprocess.DEVNULL
    ):
        return None
    command = [*enter, sys.executable, "-c", TWO_HOSTS, example]
    return run(*command) == "received\n"


# A row of the table of options.
OPTION = r'^\t\{"([\w-]+)", '

# Options of other programs in the example of a boot script.
HURD = {"--readonly", "--multiboot-command-line", "--exec-server-task"}

# A row of the table of keys.
KEY = r'^\t\{(?:\.\w+ = )?"(\w+)", '


def main():
    vnet_switch, vnetctl, vnet_plug = sys.argv[1:4]
    compiler, library, tap_library, work = sys.argv[4:]
    if not shutil.which("mandoc"):
        print("skipped: no mandoc (scripts/deps test gets it)")
        sys.exit(77)
    work = pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)

    run("mandoc", "-T", "lint", "-W", "warning", *PAGES.values())
    wrong = sorted(missing(vnet_switch, vnetctl, vnet_plug))

    (work / "example.conf").write_text(
        next(literal("vnet-switch.conf.5", "EXAMPLES"))
    )
    for conf in work / "example.conf", "examples/vnet-switch/vnet-switch.conf":
        run(vnet_switch, "--check", "--config", conf)

    three, taps = literal("libvnet.7", "EXAMPLES")
    printed = run(compile_example(compiler, work, "three", three, library))
    if printed != "bob gets 60 octets\neve gets 60 octets\n":
        wrong.append(f"libvnet.7: the first example prints\n{printed}")
    libraries = [tap_library, library, "-lmnl", "-pthread"]
    example = compile_example(compiler, work, "taps", taps, *libraries)
    if forwards(example) is False:
        wrong.append("libvnet.7: the second example does not forward")

    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
