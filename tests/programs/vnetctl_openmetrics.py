#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""vnetctl stats --openmetrics, as the parser of Prometheus' client reads it.

usage: vnetctl_openmetrics.py VNETCTL
"""
import sys

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    print("skipped: no python3-prometheus-client (scripts/deps test gets it)")
    sys.exit(77)

from vnetctl_support import (
    check,
    check_in,
    count,
    make_stats,
    client_stats,
    results,
    run,
    run_tests,
)

LIMITS = [
    {
        "owner": "web",
        "side": "in",
        "traffic": "broadcast",
        "frames_per_s": 10,
        "dropped": count(7, 700),
    },
    {
        "owner": "web/3",
        "side": "out",
        "traffic": "all",
        "octets_per_s": 10,
        "dropped": count(8, 800),
    },
]
FILTERS = [
    {"port": "web", "side": "in", "name": "no-ping", "hits": 5},
    {"port": "web", "side": "in", "default": True, "hits": 6},
    {"port": "web/3", "side": "receive_in", "name": "own", "hits": 9},
]


def stats():
    stats = make_stats(3, ["web", "db"])
    web = stats["ports"][0]
    web["in"].update(
        lost_by_others=count(2, 200), moves=1, moves_refused=4
    )
    web["clients"] = [
        client_stats("web/0", 5, 1),
        client_stats("web/3", 8, 2),
    ]
    stats["ports"][1]["link"] = "down"
    stats["totals"].update(
        originated=count(4, 240),
        unknown_source=1,
        events_lost=2,
        clock_steps_back=3,
    )
    return stats


def read(text):
    """Samples by name and labels; the parser raises on what is not strict."""
    check(text.endswith("\n# EOF\n"), text[-80:])
    check(text.count("# EOF") == 1)
    samples = {}
    families = {}
    for family in parser.text_string_to_metric_families(text):
        check(family.name not in families, family.name)
        check(family.documentation.endswith("."), family.documentation)
        check(family.samples, family.name)
        families[family.name] = family
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            check(key not in samples, key)
            samples[key] = sample.value
    return families, samples


def ask(stats, *args):
    with results(stats=stats, limit_show=LIMITS, filter_show=FILTERS) as d:
        text = run("stats", "--openmetrics", *args)
        return text, d.requests


def expect(samples, name, value, **labels):
    key = (name, *sorted(labels.items()))
    check(key in samples, f"{key} is not in {sorted(samples)}")
    check(samples[key] == value, f"{key}: {samples[key]}, not {value}")


def test_a_strict_parser_reads_it():
    text, requests = ask(stats())
    check(
        [r["do"] for r in requests] == ["stats", "limit show", "filter show"]
    )
    families, samples = read(text)
    expect(
        samples, "vnet_port_frames_total", 3000, port="web", direction="in"
    )
    expect(
        samples, "vnet_port_octets_total", 300000, port="web", direction="out"
    )
    for reason, value in ("ingress_filter", 3), ("malformed", 0):
        expect(
            samples,
            "vnet_port_dropped_frames_total",
            value,
            port="web",
            direction="in",
            reason=reason,
        )
    expect(
        samples,
        "vnet_port_dropped_octets_total",
        300,
        port="web",
        direction="out",
    )
    for what, value in (
        ("looked_up_frames_total", 2997),
        ("looked_up_octets_total", 299700),
        ("copies_frames_total", 2997),
        ("segments_frames_total", 7),
        ("segments_octets_total", 700),
        ("delivered_frames_total", 3001),
        ("lost_by_others_frames_total", 2),
        ("lost_by_others_octets_total", 200),
        ("moves_total", 1),
        ("moves_refused_total", 4),
        ("queued_frames", 3),
        ("queued_octets", 300),
        ("queue_memory_octets", 2048),
        ("link_up", 1),
    ):
        expect(samples, "vnet_port_" + what, value, port="web")
    expect(samples, "vnet_port_link_up", 0, port="db")
    expect(
        samples,
        "vnet_port_medium_dropped_frames_total",
        2,
        port="web",
        direction="out",
    )
    check(families["vnet_port_frames"].type == "counter")
    check(families["vnet_port_frames"].unit == "frames")
    check(families["vnet_port_queued_octets"].type == "gauge")
    check(families["vnet_port_queued_octets"].unit == "octets")


def test_the_switch_has_its_own():
    _, samples = read(ask(stats())[0])
    for what, value in (
        ("originated_frames_total", 4),
        ("originated_octets_total", 240),
        ("unknown_source_frames_total", 1),
        ("events_lost_total", 2),
        ("clock_steps_back_total", 3),
        ("fdb_entries", 3),
        ("fdb_evictions_total", 1),
        ("fdb_unlearned_total", 0),
        ("pool_used_octets", 2048),
        ("pool_octets", 16777216),
        ("balanced", 1),
        ("queued_frames", 3),
    ):
        expect(samples, "vnet_switch_" + what, value)
    expect(samples, "vnet_switch_frames_total", 6003000, direction="in")


def test_clients_limits_and_rules_are_in_it():
    _, samples = read(ask(stats())[0])
    of = {"port": "web", "client": "web/3"}
    expect(samples, "vnet_client_frames_total", 8, direction="in", **of)
    expect(samples, "vnet_client_delivered_frames_total", 10, **of)
    expect(
        samples,
        "vnet_client_limit_dropped_octets_total",
        800,
        direction="out",
        traffic="all",
        **of,
    )
    expect(
        samples,
        "vnet_client_filter_hits_total",
        9,
        direction="receive_in",
        rule="own",
        **of,
    )
    expect(
        samples,
        "vnet_port_limit_dropped_frames_total",
        7,
        port="web",
        direction="in",
        traffic="broadcast",
    )
    for rule, hits in ("no-ping", 5), ("(default)", 6):
        expect(
            samples,
            "vnet_port_filter_hits_total",
            hits,
            port="web",
            direction="in",
            rule=rule,
        )


def test_one_port_is_asked_for_alone():
    _, requests = ask(make_stats(1, ["web"]), "web")
    check(
        requests
        == [
            {"do": "stats", "port": "web"},
            {"do": "limit show", "owner": "web"},
            {"do": "filter show", "port": "web"},
        ],
        requests,
    )


def test_names_are_escaped():
    text, _ = ask(make_stats(1, ['a"b\\c\n}d', "\\" * 300, '"' * 300]))
    _, samples = read(text)
    expect(samples, "vnet_port_link_up", 1, port='a"b\\c?}d')
    expect(samples, "vnet_port_link_up", 1, port="\\" * 95)


def test_what_is_not_there_is_left_out():
    for odd in (
        {},
        {"ports": [], "totals": {}},
        {"ports": [{"name": "web", "in": {"frames": -1, "octets": "x"}}]},
    ):
        read_none = ask(odd)[0]
        check_in("# EOF\n", read_none)
        _, samples = read(read_none)
        check(not any("frames" in s[0] and "limit" not in s[0] for s in samples))


def test_sums_that_do_not_agree_are_told():
    broken = make_stats(1, ["web"], balanced=False)
    with results(stats=broken, limit_show=[], filter_show=[]):
        err = run("stats", "--openmetrics", status=1)
        check_in("do not agree", err)


def test_a_daemon_without_limits_is_an_error():
    with results(stats=make_stats(1)):
        check_in("limit_show", run("stats", "--openmetrics", status=1))


run_tests(globals())
