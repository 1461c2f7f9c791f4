#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""man.py VNET_SWITCH VNETCTL COMPILER LIBRARY WORK: the manual pages are right.

They are clean; they name every option, command and key of the programs, every
reason of a drop and every event; and their examples work.
"""
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


def missing(vnet_switch, vnetctl):
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

    shown = text("vnet-switch.conf.5")
    words = names("examples/vnet-switch/keys.c", KEY)
    yield from (f"vnet-switch.conf.5: {w}" for w in words if not has(w, shown))

    shown = text("libvnet.7")
    headers = pathlib.Path("include/vnet").glob("*.h")
    yield from (
        f"libvnet.7: {h.name}" for h in headers if not has(f"vnet/{h.name}", shown)
    )


# A row of the table of keys.
KEY = r'^\t\{(?:\.\w+ = )?"(\w+)", '


def main():
    vnet_switch, vnetctl, compiler, library, work = sys.argv[1:]
    if not shutil.which("mandoc"):
        print("skipped: no mandoc (scripts/deps test gets it)")
        sys.exit(77)
    work = pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)

    run("mandoc", "-T", "lint", "-W", "warning", *PAGES.values())
    wrong = sorted(missing(vnet_switch, vnetctl))

    (work / "example.conf").write_text(
        next(literal("vnet-switch.conf.5", "EXAMPLES"))
    )
    for conf in work / "example.conf", "examples/vnet-switch/vnet-switch.conf":
        run(vnet_switch, "--check", "--config", conf)

    (work / "example.c").write_text(next(literal("libvnet.7", "EXAMPLES")))
    run(
        compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
        "-I", "include", "-o", work / "example", work / "example.c", library,
    )
    printed = run(work / "example")
    if printed != "bob gets 60 octets\neve gets 60 octets\n":
        wrong.append(f"libvnet.7: the example prints\n{printed}")

    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
