import { completedCommands, START, type CompletedCommand, type Values } from './model.ts'

/** As a file `_everycore` in `$fpath`, or to be sourced. */
export function zshCompletion(): string {
  const commands = completedCommands()
  return `#compdef everycore
# everycore completion zsh

_everycore_apps() {
  local -a names directories
  if [[ -n $EVERYCORE_RUNTIME_DIR ]]; then
    directories=("$EVERYCORE_RUNTIME_DIR")
  else
    directories=(\${RUNTIME_DIRECTORY%%:*} \${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/everycore} /run/everycore "\${TMPDIR:-/tmp}/everycore-$UID")
  fi
  local directory
  for directory in $directories; do
    names+=("$directory"/*.sock(N=:t:r))
  done
  compadd -a names
}

_everycore() {
  local -a verbs=(
${commands.map(({ names: [name], help }) => `    ${quote(`${name}:${help.replaceAll(':', String.raw`\:`)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t verbs verb verbs
    _files
    return
  fi
  case $words[2] in
${commands.map((command) => `    ${command.names.join('|')})\n      shift words; (( CURRENT-- ))\n      ${argumentsOf(command)} ;;`).join('\n')}
    *)
      ${argumentsOf(commands[0])} ;;
  esac
}

if [[ $funcstack[1] == _everycore ]]; then
  _everycore "$@"
else
  compdef _everycore everycore
fi
`
}

function argumentsOf(command: CompletedCommand | undefined): string {
  if (command === undefined) return ':'
  const { names: [name], flags, args } = command
  const specs = flags.flatMap(({ spellings, help, values }) => {
    const tail = `[${help.replaceAll(/[[\]:\\]/g, String.raw`\$&`)}]${values === undefined ? '' : `:value:${action(values)}`}`
    const others = spellings.length > 1 ? `(${spellings.join(' ')})` : ''
    return spellings.map((flag) => quote(`${others}${flag}${values !== undefined && flag.startsWith('--') ? '=' : ''}${tail}`))
  })
  const places = args.map(({ name: argument, values }, place) => quote(`${place + 1}:${argument}:${action(values)}`))
  // From the script on all is the app's.
  const rest = name === START ? [quote('*:: :_files')] : []
  return ['_arguments -S', ...specs, ...places, ...rest].join(' \\\n        ')
}

function action(values: Values): string {
  if (typeof values !== 'string') return `(${values.join(' ')})`
  return { apps: '_everycore_apps', files: '_files', directories: '_files -/', anything: ' ' }[values]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
