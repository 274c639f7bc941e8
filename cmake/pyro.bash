# bash completion for pyro
_pyro() {
  local commands="init validate config schema plan apply status exec shell logs diff snapshot reset undo stop start
    destroy why doctor env version"
  local flags="-f -C -w --profile --var --json --yes --timeout --lock-timeout --help"
  local current=${COMP_WORDS[COMP_CWORD]}
  local word command=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      *) if [[ -z $command && " $commands " == *" $word "* ]]; then command=$word; fi ;;
    esac
  done
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    -f) COMPREPLY=($(compgen -f -- "$current")); return ;;
    -C) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --to) COMPREPLY=($(compgen -W "baseline $(pyro snapshot ls --json 2>/dev/null |
      sed -n 's/.*"snapshot_name": *"\([^"]*\)".*/\1/p')" -- "$current")); return ;;
  esac
  case $command in
    "") COMPREPLY=($(compgen -W "$commands $flags" -- "$current")) ;;
    snapshot) COMPREPLY=($(compgen -W "save ls rm $flags" -- "$current")) ;;
    env) COMPREPLY=($(compgen -W "pull list inspect prune $flags" -- "$current")) ;;
    reset) COMPREPLY=($(compgen -W "--to $flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
  esac
}
complete -o default -F _pyro pyro
