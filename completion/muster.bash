# SPDX-License-Identifier: MIT
# bash completion for muster

_muster()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'plan --help --version' -- "$current")
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
        *) compopt -o filenames 2>/dev/null && mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        esac
        ;;
    esac
}
complete -F _muster muster
