import { completedCommands, START, type CompletedCommand, type Values } from './model.ts'

/** For bash 3.2 and later. */
export function bashCompletion(): string {
  const commands = completedCommands()
  const verbs = commands.flatMap(({ names }) => names)
  return `# everycore completion bash

_everycore_apps() {
  local directory path directories
  directories=("$EVERYCORE_RUNTIME_DIR")
  if [ -z "$EVERYCORE_RUNTIME_DIR" ]; then
    directories=("\${RUNTIME_DIRECTORY%%:*}" "\${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/everycore}" /run/everycore "\${TMPDIR:-/tmp}/everycore-$UID")
  fi
  for directory in "\${directories[@]}"; do
    [ -n "$directory" ] || continue
    for path in "$directory"/*.sock; do
      [ -S "$path" ] && path=\${path##*/} && printf '%s\\n' "\${path%.sock}"
    done
  done
}

# What may follow a flag that has a value; fails for all others.
_everycore_value() {
  case $1 in
${commands.flatMap(flagCases).join('\n')}
    *) return 1 ;;
  esac
}

# What may stand in a place.
_everycore_argument() {
  case $1 in
${commands.flatMap(argumentCases).join('\n')}
    *) values=:anything ;;
  esac
}

_everycore_flags() {
  case $1 in
${commands.map(({ names: [name], flags }) => `    ${name}) values='${flags.flatMap(({ spellings }) => spellings).join(' ')}' ;;`).join('\n')}
  esac
}

_everycore_reply() {
  local IFS=$'\\n'
  case $values in
    :apps) COMPREPLY=($(compgen -W "$(_everycore_apps)" -- "$cur")) ;;
    :files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    :directories) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    :anything) ;;
    *) COMPREPLY=($(compgen -W "\${values// /$'\\n'}" -- "$cur")) ;;
  esac
}

_everycore() {
  local cur=\${COMP_WORDS[COMP_CWORD]} verb=${START} place=0 index=1 word values=
  COMPREPLY=()
  # bash makes --flag=value three words.
  [ "$cur" = = ] && cur=
  if [ "$COMP_CWORD" -gt 1 ]; then
    case \${COMP_WORDS[1]} in
${commands.map(({ names }) => `      ${names.join('|')}) verb=${names[0]} index=2 ;;`).join('\n')}
    esac
  fi
  while [ "$index" -lt "$COMP_CWORD" ]; do
    word=\${COMP_WORDS[index]}
    if [ "\${word:0:1}" = - ]; then
      if _everycore_value "$verb $word"; then
        [ "\${COMP_WORDS[index + 1]}" = = ] && [ $((index + 1)) -lt "$COMP_CWORD" ] && index=$((index + 1))
        index=$((index + 1))
        if [ "$index" -ge "$COMP_CWORD" ]; then
          _everycore_reply
          return
        fi
      fi
    else
      place=$((place + 1))
      # From the script on all is the app's.
      if [ "$verb" = ${START} ]; then
        values=:files
        _everycore_reply
        return
      fi
    fi
    index=$((index + 1))
  done
  if [ "\${cur:0:1}" = - ]; then
    _everycore_flags "$verb"
    _everycore_reply
    return
  fi
  _everycore_argument "$verb $place"
  _everycore_reply
  [ "$COMP_CWORD" = 1 ] && COMPREPLY+=($(compgen -W '${verbs.join(' ')}' -- "$cur"))
  return 0
}

complete -F _everycore everycore
`
}

function flagCases({ names: [name], flags }: CompletedCommand): readonly string[] {
  return flags.flatMap(({ spellings, values }) => (values === undefined ? [] : [`    ${spellings.map((flag) => `'${name} ${flag}'`).join('|')}) values=${written(values)} ;;`]))
}

function argumentCases({ names: [name], args }: CompletedCommand): readonly string[] {
  return args.map(({ values }, place) => `    '${name} ${place}') values=${written(values)} ;;`)
}

function written(values: Values): string {
  return typeof values === 'string' ? `:${values}` : `'${values.join(' ')}'`
}
