# SPDX-License-Identifier: MIT
# bash completion for muster

_muster_files()
{
    compopt -o filenames 2>/dev/null && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$1")
}

# The names in the report $1 that begin with $2. They are others' text: quoted for the line, and never given to compgen -W,
# which expands what it gets. (A name with an escape of JSON's is left out.)
_muster_names()
{
    local name quoted
    [ -f "$1" ] || return
    while IFS= read -r name; do
        printf -v quoted '%q' "$name"
        [[ $name != "$2"* && $quoted != "$2"* ]] || COMPREPLY+=("$quoted")
    done < <(sed -n 's/^{"driver":"\([^"\]*\)","resource":"\([^"\]*\)".*/\1\/\2/p
        s/^{"driver":"\([^"\]*\)","tier".*/\1/p' 2>/dev/null <"$1")
}

_muster()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    [ "$current" != = ] || current=''
    [ "$previous" != = ] || previous=${COMP_WORDS[COMP_CWORD - 2]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'plan report store --help --version' -- "$current")
        return
    fi
    case ${COMP_WORDS[1]} in
    plan)
        case $previous in
        -f | --format)
            mapfile -t COMPREPLY < <(compgen -W 'text json dot' -- "$current")
            return
            ;;
        esac
        case $current in
        -*) mapfile -t COMPREPLY < <(compgen -W '--format --help' -- "$current") ;;
        *) _muster_files "$current" ;;
        esac
        ;;
    report)
        local views='time blame critical-chain why diff' view=${COMP_WORDS[2]}
        case $previous in
        -f | --format)
            mapfile -t COMPREPLY < <(compgen -W 'text json svg trace dot' -- "$current")
            return
            ;;
        esac
        case $COMP_CWORD:$current in
        2:-*) mapfile -t COMPREPLY < <(compgen -W '--format --help' -- "$current") ;;
        2:*)
            mapfile -t COMPREPLY < <(compgen -W "$views" -- "$current")
            _muster_files "$current"
            ;;
        4:*)
            case $view in
            why | critical-chain) _muster_names "${COMP_WORDS[3]}" "$current" ;;
            time | blame) ;;
            *) _muster_files "$current" ;;
            esac
            ;;
        *) _muster_files "$current" ;;
        esac
        ;;
    store)
        local actions='show verify export import compact forget resolve' action=${COMP_WORDS[2]}
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W "$actions --help" -- "$current")
            return
        fi
        case $action:$COMP_CWORD:$current in
        show:*:-*) mapfile -t COMPREPLY < <(compgen -W '--json --help' -- "$current") ;;
        import:*:-*) mapfile -t COMPREPLY < <(compgen -W '--merge --help' -- "$current") ;;
        *:-*) mapfile -t COMPREPLY < <(compgen -W '--help' -- "$current") ;;
        forget:4:*) ;;
        resolve:4:*) ;;
        resolve:5:*) mapfile -t COMPREPLY < <(compgen -W 'active inactive' -- "$current") ;;
        *) _muster_files "$current" ;;
        esac
        ;;
    esac
}
complete -F _muster muster
