#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What crosses a port is captured, whoever reads it, and however.
#
#	a [ta]---\
#	b [tb]----+ vnet-switch ~~~~ vnetctl capture: files, pipes, no reader
#	c [tc]---/
#
# Usage: capture.sh VNET_SWITCH VNETCTL TRANSFER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
here=$(dirname "${BASH_SOURCE[0]}")
transfer=$3
need ping tcpdump socat iperf3
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c
start --tap ta,netns=a,address=10.0.0.1/24,address=fd00::1/64 \
    --tap tb,netns=b,address=10.0.0.2/24,address=fd00::2/64 \
    --tap tc,netns=c,address=10.0.0.3/24
for address in 10.0.0.2 fd00::2 10.0.0.3; do
    wait_for 5 answers a $address
done
wait_for 5 answers c 10.0.0.2

# pings HOST COUNT ADDRESS: none is lost.
pings() {
    local before
    before=$(unanswered "$1")
    in_host "$1" ping -n -q -i 0.002 -c "$2" "$3" >"$work/ping" 2>&1 ||
        fail "$(cat "$work/ping")"
    wait_for 5 answered "$1" "$before"
}

# capture NAME ARGUMENT...: into the file NAME, from now on.
capture() {
    local name=$1
    shift
    "$vnetctl" --socket "$control_at" capture "$@" -w "$work/$name" \
        2>"$work/$name.err" &
    captures[$name]=$!
    # Its port is known before its first octets come.
    wait_for 5 test -s "$work/$name"
}
declare -A captures=()

# ends NAME: by itself, and well.
ends() {
    wait "${captures[$1]}" || fail "$1 ends with $?: $(cat "$work/$1.err")"
}

# stop NAME: as by Ctrl-C.
stop() {
    kill -INT "${captures[$1]}"
    ends "$1"
}

# has NAME JQ-FILTER: of what pcapng.py says. While somebody writes there, the
# last block may be not whole yet.
has() {
    "$here/pcapng.py" "$work/$1" >"$work/$1.json" 2>&1 &&
        jq -e "$2" "$work/$1.json" >/dev/null
}

# must NAME JQ-FILTER
must() {
    has "$@" || fail "$1: $(cat "$work/$1.json")"
}

# sees NAME TCPDUMP-ARGUMENT...
sees() {
    local name=$1
    shift
    tcpdump -n "$@" -r - <"$work/$name" 2>/dev/null
}

echo "- both ways, with an expression and without"
capture all ta
capture icmp ta icmp
capture from ta icmp and src host 10.0.0.1
capture three ta icmp -c 3
capture cut ta icmp --snaplen 60
pings a 5 10.0.0.2
ends three
must three '.frames == 3 and .statistics'
wait_for 5 has icmp '.in == 5 and .out == 5'
wait_for 5 has from '.in == 5 and .out == 0'
wait_for 5 has cut '.frames == 10 and .cut == 10'
wait_for 5 has all '.frames >= 10'
for name in all icmp from cut; do
    stop $name
    must $name '.statistics.dropped == 0'
done
must icmp '.statistics | .accepted == 10 and .received >= 10'
(($(sees icmp | grep -c 'echo reply') == 5)) || fail "$(sees icmp)"
[[ $(cat "$work/icmp.err") == '10 frames captured, 0 lost' ]] ||
    fail "$(cat "$work/icmp.err")"

# over PID...: all have ended, while frames pass.
over() {
    local pid
    answers a 10.0.0.2
    for pid; do
        if kill -0 "$pid" 2>/dev/null; then
            return 1
        fi
    done
}

echo "- live, through a pipe"
control capture ta -w - icmp 2>"$work/err" | tcpdump -n -l -r - >"$work/live" 2>&1 &
reader=$!
live() {
    answers a 10.0.0.2
    (($(grep -c 'echo reply' "$work/live") >= 3))
}
wait_for 10 live
kill $reader
wait $reader || :
control capture ta -c 2 icmp >"$work/lines" 2>&1 &
reader=$!
wait_for 5 over $reader
wait $reader || fail "lines end with $?"
(($(grep -c '10.0.0.2.*ICMP' "$work/lines") == 2)) || fail "$(cat "$work/lines")"

echo "- a pipe that is closed"
{ control capture ta -w - | head -c 100 >"$work/head"; } 2>"$work/head.err" &
reader=$!
wait_for 5 over $reader
wait $reader || fail "a closed pipe: $?: $(cat "$work/head.err")"
(($(stat -c %s "$work/head") == 100)) || fail "not 100 octets"

echo "- what cannot be captured"
refused() {
    local message=$1 status=0
    shift
    timeout 10 "$vnetctl" --socket "$control_at" capture "$@" \
        -w "$work/refused" 2>"$work/err" || status=$?
    ((status == 1)) || fail "$*: ends with $status"
    grep -q "$message" "$work/err" || fail "$*: $(cat "$work/err")"
    [[ ! -e $work/refused ]] || fail "$*: a file is made"
}
refused 'no port nowhere' nowhere
refused 'syntax' ta tcp port
is '[.[] | select(.medium.carries | index("csum"))] | length == 3' port show ||
    skip "this kernel leaves no checksums to a TAP"

echo "- checksums are complete, or as they are"
for protocol in tcp udp; do
    capture $protocol tb $protocol
    capture $protocol.raw tb $protocol --raw
done
"$transfer" a b 10.0.0.2 fd00::2 || fail "from a to b"
"$transfer" b a 10.0.0.1 fd00::1 || fail "from b to a"
# says NAME PATTERN EXPRESSION: tcpdump does.
says() {
    sees "$1" -vv "$3" | grep -E "$2" >"$work/says"
}
good='\(correct\)|udp sum ok'
bad='\(incorrect|bad udp cksum'
for protocol in tcp udp; do
    for ip in ip ip6; do
        wait_for 10 says $protocol "$good" $ip
        wait_for 10 says $protocol.raw "$bad" $ip
    done
    stop $protocol
    stop $protocol.raw
    says $protocol "$good" 'ip or ip6' || fail "$protocol is not whole"
    if says $protocol "$bad" 'ip or ip6'; then
        fail "$protocol: checksums: $(head -n 3 "$work/says")"
    fi
done

echo "- what is captured is what was sent"
# As much as there is room for, however slow the reader: none is lost.
head -c 2000000 /dev/urandom >"$work/sent"
listens() {
    in_host b ss -Hltn "sport = :$1" | grep -q .
}
port=5000
for address in 10.0.0.2 '[fd00::2]'; do
    port=$((port + 1))
    capture stream tb tcp port $port
    in_host b socat -u "TCP6-LISTEN:$port,ipv6only=0" \
        "CREATE:$work/received" &
    receiver=$!
    wait_for 5 listens $port
    in_host a socat -u "OPEN:$work/sent" "TCP:$address:$port"
    wait $receiver
    cmp "$work/sent" "$work/received" || fail "something else is received"
    same() {
        "$here/pcapng.py" "$work/stream" "$port" >"$work/assembled" \
            2>/dev/null &&
            cmp -s "$work/sent" "$work/assembled"
    }
    wait_for 10 same
    stop stream
    must stream '.lost == 0 and .statistics.dropped == 0'
    rm "$work/received" "$work/stream"
done

# As many descriptors as now, when nobody captures.
descriptors() {
    find "/proc/$switch_pid/fd" -mindepth 1 | wc -l
}
idle() {
    (($(descriptors) == before))
}
before=$(descriptors)
memory() {
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$switch_pid/status"
}

# A sanitizer's shadow is several times what it shadows.
echo "- readers that do not read hold up nobody, and take little memory"
capture stopped tb
kill -STOP "${captures[stopped]}"
mkfifo "$work/pipe"
exec 8<>"$work/pipe"
"$vnetctl" --socket "$control_at" capture tb -w - >"$work/pipe" 8>&- \
    2>"$work/unread.err" &
unread=$!
in_host b iperf3 -s -1 >/dev/null 2>&1 8>&- &
server=$!
wait_for 5 listens 5201
resident=$(memory)
in_host a iperf3 -c 10.0.0.2 -n 100M >"$work/iperf3" 2>&1 8>&- ||
    fail "$(cat "$work/iperf3")"
wait $server
pings c 300 10.0.0.2
(($(memory) - resident < 64 << 10)) ||
    fail "memory: $resident KiB before, $(memory) KiB now"
is .balanced stats || fail "sums do not agree"
exec 8<&-
wait_for 5 over $unread
wait $unread || fail "a pipe without a reader: $(cat "$work/unread.err")"
kill -CONT "${captures[stopped]}"
# It is said with the next frame that finds room.
lost() {
    answers a 10.0.0.2
    has stopped '.lost > 0'
}
wait_for 10 lost
stop stopped
must stopped '.statistics.dropped > 0'
grep -q ' [1-9][0-9]* lost' "$work/stopped.err" ||
    fail "nothing is lost: $(cat "$work/stopped.err")"
wait_for 5 idle

echo "- a reader that dies"
capture dead tb
pings a 200 10.0.0.2 &
flood=$!
wait_for 5 has dead '.frames > 10'
disown "${captures[dead]}"
kill -KILL "${captures[dead]}"
wait $flood || fail "frames are lost"
wait_for 5 idle

echo "- a port that goes"
control port add tap tx netns=c
wait_for 5 is '.[0].link == "up"' port show tx
capture port tx
control port del tx
wait_for 5 over "${captures[port]}"
ends port
must port '.statistics'
grep -q 'ended by vnet-switch' "$work/port.err" ||
    fail "$(cat "$work/port.err")"

echo "- sixteen at once"
for i in {1..16}; do
    capture "of16.$i" ta icmp -c 20
done
refused 'already, expected 16' ta
pings a 10 10.0.0.2
for i in {1..16}; do
    ends "of16.$i"
    must "of16.$i" '.frames == 20 and .in == 10 and .out == 10'
done
wait_for 5 idle

echo "- a switch that ends"
capture last ta
pings a 5 10.0.0.2
is .balanced stats || fail "sums do not agree"
end
ends last
must last '.frames >= 10 and .statistics'
