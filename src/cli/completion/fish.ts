import { completedCommands, START, type CompletedCommand, type Values } from './model.ts'

/** As `everycore.fish` among the completions of fish, or to be sourced. */
export function fishCompletion(): string {
  const commands = completedCommands()
  const [start, ...others] = commands
  const words = commands.flatMap(({ names }) => names)
  return `# everycore completion fish

function __everycore_apps
    set -l directories "$EVERYCORE_RUNTIME_DIR"
    if test -z "$EVERYCORE_RUNTIME_DIR"
        set -l tmp /tmp
        set -q TMPDIR; and set tmp $TMPDIR
        set directories (string split : -- "$RUNTIME_DIRECTORY")[1] "$XDG_RUNTIME_DIR/everycore" /run/everycore $tmp/everycore-(id -u)
    end
    for directory in $directories
        test -n "$directory"; or continue
        for path in $directory/*.sock
            string replace -r '.*/(.*)\\.sock$' '$1' -- $path
        end
    end
end

# The first word is one of these.
function __everycore_verb
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

# So many words that are no flags stand behind the verb.
function __everycore_place
    set -l words (string match -v -- '-*' (commandline -opc))
    test (count $words) -eq (math $argv[1] + 2)
end

complete -c everycore -n 'test (count (commandline -opc)) -eq 1' -F
${commands.map(({ names: [name = ''], help }) => `complete -c everycore -n 'test (count (commandline -opc)) -eq 1' -a ${quote(name)} -d ${quote(help)}`).join('\n')}
${start === undefined ? '' : commandLines(start, `'__everycore_verb ${START}; or not __everycore_verb ${words.join(' ')}'`).join('\n')}
${others.flatMap((command) => commandLines(command, `'__everycore_verb ${command.names.join(' ')}'`)).join('\n')}
`
}

function commandLines({ names: [name], flags, args }: CompletedCommand, condition: string): readonly string[] {
  const isStart = name === START
  return [
    ...(isStart ? [] : [`complete -c everycore -n ${condition} -f`]),
    ...flags.map(({ spellings, help, values }) => `complete -c everycore -n ${condition} ${spellings.map(option).join(' ')}${values === undefined ? '' : valueOf(values)} -d ${quote(help)}`),
    ...(isStart ? [] : args.flatMap(({ values }, place) => (values === 'anything' ? [] : [`complete -c everycore -n ${condition.slice(0, -1)}; and __everycore_place ${place}' ${argumentOf(values)}`]))),
  ]
}

function option(flag: string): string {
  return flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
}

function valueOf(values: Values): string {
  if (values === 'files') return ' -r -F'
  return values === 'anything' ? ' -x' : ` -x ${argumentOf(values)}`
}

function argumentOf(values: Values): string {
  if (typeof values !== 'string') return `-a ${quote(values.join(' '))}`
  return { apps: "-a '(__everycore_apps)'", files: '-F', directories: "-a '(__fish_complete_directories)'", anything: '' }[values]
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
