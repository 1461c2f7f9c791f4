# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion for vnetctl and vnet-switch. What vnetctl takes it says itself
# (vnetctl --list-commands), as it does the keys of ports; names come from the
# daemon, if there is one.

# The line up to the cursor. Bash would cut words at = and : as well.
__vnet_words() {
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    word=${words[-1]}
}

# __vnet_offer WORD...: those that begin as the word at the cursor.
__vnet_offer() {
    local candidate
    for candidate in "$@"; do
        [[ $candidate == "$word"* ]] && COMPREPLY+=("$candidate")
    done
}

# As __vnet_offer, for KEY=VALUE: first the keys, then the values.
__vnet_offer_keys() {
    local candidate
    for candidate in "$@"; do
        [[ $word == *=* ]] || candidate=${candidate%%=*}=
        [[ $word == *=* && $candidate == *= ]] && continue
        [[ " ${COMPREPLY[*]} " == *" $candidate "* ]] ||
            __vnet_offer "$candidate"
    done
    [[ $word == *=* ]] || compopt -o nospace 2>/dev/null
}

__vnet_offer_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

# __vnet_offer_from [-k] COMMAND...: the lines it prints; as keys.
__vnet_offer_from() {
    local lines offer=__vnet_offer
    [[ $1 == -k ]] && offer=__vnet_offer_keys && shift
    mapfile -t lines < <("$@")
    "$offer" "${lines[@]}"
}

# __vnet_interfaces TYPE: that a port of it may have.
__vnet_interfaces() {
    local path
    for path in /sys/class/net/*; do
        case $1 in
        tap) [[ -e $path/tun_flags ]] || continue ;;
        uplink) [[ ${path##*/} != lo ]] || continue ;;
        *) continue ;;
        esac
        printf '%s\n' "${path##*/}"
    done
}

# __vnet_keys VNETCTL TYPE|'': KEY=VALUE, or KEY=, of ports.
__vnet_keys() {
    local path
    "$1" port keys ${2:+"$2"} 2>/dev/null | grep -v '^netns=$'
    [[ $2 == stream || $2 == attach ]] && return
    echo netns=
    for path in /run/netns/*; do
        [[ -e $path ]] && echo "netns=${path##*/}"
    done
}

# Take off what bash takes for words before this one.
__vnet_trim() {
    local before='' i
    for ((i = ${#word} - 1; i >= 0; i--)); do
        if [[ ${word:i:1} == [=:] && $COMP_WORDBREAKS == *"${word:i:1}"* ]]; then
            before=${word:0:i+1}
            break
        fi
    done
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

# __vnetctl ARGUMENT...: ask the daemon that the line is for, but not for long.
__vnetctl() {
    "${words[0]}" "${socket[@]}" --timeout 1 "$@" 2>/dev/null
}

# __vnetctl_value OPTION: of an option that takes one; false for others.
__vnetctl_value() {
    case $1 in
    -s | --socket | -w | --write | -r | --read) __vnet_offer_files ;;
    --timeout | -d | --delay | -n | --rounds | -c | --count | --snaplen) ;;
    *) return 1 ;;
    esac
}

# __vnetctl_filters PORT SIDE
__vnetctl_filters() {
    __vnetctl filter names "$1" | sed -n "s/^$2 //p"
}

# Ports and clients.
__vnetctl_owners() {
    __vnetctl port names
    __vnetctl client names
}

# __vnetctl_sides OWNER: a name with a slash is a client's.
__vnetctl_sides() {
    [[ $1 == */* ]] || printf '%s\n' in out
    printf '%s\n' receive_in receive_out
}

# __vnetctl_port_keys TYPE|'': with the grants that there are.
__vnetctl_port_keys() {
    __vnet_keys "${words[0]}" "$1"
    [[ $1 == uplink ]] || __vnetctl grant names | sed 's/^/grant=/'
}

# A parent is one that is there.
__vnetctl_grant_keys() {
    __vnetctl grant keys
    __vnetctl grant names | sed 's/^/parent=/'
}

# Not a million of them.
__vnetctl_addresses() {
    __vnetctl fdb show | sed -n '2,200s/ .*//p; 200q'
}

# __vnetctl_verb WORD VERB: does it mean that?
__vnetctl_verb() {
    [[ $2 == "$1"* ]] && return
    case $2 in
    show) [[ list == "$1"* ]] ;;
    del) [[ delete == "$1"* ]] ;;
    *) false ;;
    esac
}

# __vnetctl_arg COMMAND PLACE ARGUMENT...: at a place of the --help text.
__vnetctl_arg() {
    local command=$1 place=$2
    shift 2
    case $command:$place in
    'port add:TYPE') __vnet_offer_from __vnetctl port types ;;
    'port add:NAME') __vnet_offer_from __vnet_interfaces "$1" ;;
    'port add:KEY=VALUE') __vnet_offer_from -k __vnetctl_port_keys "$1" ;;
    'port set:KEY=VALUE') __vnet_offer_from -k __vnetctl_port_keys '' ;;
    'fdb del:MAC') __vnet_offer_from __vnetctl_addresses ;;
    'filter del:NAME') __vnet_offer_from __vnetctl_filters "$1" "$2" ;;
    'filter add:NAME') ;;
    'client set:KEY=VALUE') __vnet_offer_from -k __vnetctl client keys ;;
    'limit set:KEY=VALUE') __vnet_offer_from -k __vnetctl limit keys ;;
    'grant add:GRANT') ;;
    'grant '*:KEY=VALUE) __vnet_offer_from -k __vnetctl_grant_keys ;;
    *:'GRANT|CLIENT')
        __vnet_offer_from __vnetctl grant names
        __vnet_offer_from __vnetctl client names
        ;;
    *:GRANT) __vnet_offer_from __vnetctl grant names ;;
    *:OWNER) __vnet_offer_from __vnetctl_owners ;;
    *:CLIENT) __vnet_offer_from __vnetctl client names ;;
    *:SIDE) __vnet_offer_from __vnetctl_sides "$1" ;;
    *:TRAFFIC) __vnet_offer all broadcast multicast unknown ;;
    *:PORT | *:NAME) __vnet_offer_from __vnetctl port names ;;
    *:*'|'*) __vnet_offer "${place%|*}" "${place#*|}" ;;
    esac
}

_vnetctl() {
    local words word socket=() args=() i
    local object='' verb='' command='' places=() options=() line fields
    COMPREPLY=()
    __vnet_words
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        -s | --socket) socket=(--socket "${words[i + 1]}") ;;&
        -s | --socket | --timeout | -d | --delay | -n | --rounds | \
            -w | --write | -r | --read | -c | --count | --snaplen) ((i++)) ;;
        -*) ;;
        *) args+=("${words[i]}") ;;
        esac
    done
    [[ ${args[0]} == help ]] && args=("${args[@]:1}")
    if __vnetctl_value "${words[-2]}"; then
        return
    fi

    # OBJECT VERB<tab>ARGS<tab>OPTIONS. The first that fits, as far as typed.
    local objects=() verbs=()
    while IFS= read -r line; do
        fields=("${line%%$'\t'*}" "${line#*$'\t'}")
        read -r object verb <<<"${fields[0]}"
        objects+=("$object")
        ((${#args[@]} == 0)) && continue
        [[ $object == "${args[0]}"* ]] || continue
        [[ $verb ]] && verbs+=("$verb")
        [[ $verb ]] && ((${#args[@]} < 2)) && continue
        [[ ! $verb ]] || __vnetctl_verb "${args[1]}" "$verb" || continue
        [[ $command ]] && continue
        command=${fields[0]}
        read -ra places <<<"${fields[1]%%$'\t'*}"
        read -ra options <<<"${fields[1]#*$'\t'}"
        [[ $verb ]] && args=("${args[0]}" "${args[@]:2}")
    done < <(__vnetctl --list-commands)

    if [[ $word == -* ]]; then
        [[ $command ]] || options=(--json)
        __vnet_offer --socket --timeout --help --version "${options[@]}"
    elif ((${#args[@]} == 0)); then
        __vnet_offer_from uniq <(printf '%s\n' "${objects[@]}")
    elif [[ ! $command ]]; then
        __vnet_offer "${verbs[@]}"
    else
        args=("${args[@]:1}")
        i=${#args[@]}
        # The last place may be for more than one.
        if ((i >= ${#places[@]} && ${#places[@]})) &&
            [[ ${places[-1]} == *... ]]; then
            i=$((${#places[@]} - 1))
        fi
        line=${places[i]//[\[\].]/}
        __vnetctl_arg "$command" "$line" "${args[@]}"
    fi
    __vnet_trim
}

# __vnet_switch_port TYPE: what --tap and the like take.
__vnet_switch_port() {
    local before=''
    if [[ $word == *,* ]]; then
        before=${word%,*},
        word=${word##*,}
        __vnet_offer_from -k __vnet_keys "${words[0]%vnet-switch}vnetctl" "$1"
        __vnet_offer_keys name=
        COMPREPLY=("${COMPREPLY[@]/#/"$before"}")
        word=$before$word
    elif [[ $1 == stream ]]; then
        __vnet_offer_files
    else
        __vnet_offer_from __vnet_interfaces "$1"
    fi
}

_vnet_switch() {
    local words word option before='' i
    COMPREPLY=()
    __vnet_words
    option=${words[-2]}
    # The value may be in the same word.
    if [[ $word == --*=* ]]; then
        option=${word%%=*}
        before=$option=
        word=${word#*=}
    fi
    case $option in
    -c | --config | --socket) __vnet_offer_files ;;
    --uplink | --tap | --stream | --attach) __vnet_switch_port "${option#--}" ;;
    --log) __vnet_offer error warning info debug ;;
    --filter | --cpu | --ready-fd) ;;
    *)
        __vnet_offer --config --tap --uplink --stream --attach --filter \
            --socket --cpu --ready-fd --log --check --help --version
        ;;
    esac
    if [[ $before ]]; then
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=$before${COMPREPLY[i]}
        done
        word=$before$word
    fi
    __vnet_trim
}

complete -F _vnetctl vnetctl
complete -F _vnet_switch vnet-switch
