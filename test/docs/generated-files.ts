/** The files of the manual that `everycore generate` writes, as it writes them for a plain app. */
import { parse } from 'yaml'
import { alertFiles } from '../../src/generate/alerts.ts'
import { composeFiles } from '../../src/generate/compose.ts'
import type { GeneratedFile } from '../../src/generate/deployment.ts'
import { dockerFiles } from '../../src/generate/docker.ts'
import { kubernetesFiles } from '../../src/generate/kubernetes.ts'
import { systemdFiles } from '../../src/generate/systemd.ts'
import { deployment } from '../harness/deployment.ts'

const APP = deployment({ options: [{ key: 'port', words: ['--port', '3000'] }], port: 3000 })

/** Page to what stands between its marks. */
export const FILES: Readonly<Record<string, () => string>> = {
  'docs/systemd.md': () => systemdFiles(APP, { socket: true }).map((file) => fence('ini', file)).join('\n\n'),
  'docs/docker.md': () => [...dockerFiles(APP).slice(0, 1).map((file) => fence('dockerfile', file)), ...composeFiles(APP, { image: undefined }).map((file) => fence('yaml', file))].join('\n\n'),
  'docs/kubernetes.md': () => kubernetesFiles(APP, { image: 'registry.example.com/shop:1.4.2' }).map((file) => fence('yaml', file)).join('\n\n'),
  'docs/alerts.md': alertTable,
}

function fence(language: string, { path, text }: GeneratedFile): string {
  return `\`${path}\`:\n\n\`\`\`${language}\n${text}\`\`\``
}

interface Rules {
  readonly groups: readonly [{ readonly rules: readonly { readonly alert: string; readonly for: string; readonly labels: { readonly severity: string }; readonly annotations: { readonly description: string } }[] }]
}

function alertTable(): string {
  const { groups: [{ rules }] } = parse(alertFiles()[0]?.text ?? '') as Rules
  const rows = rules.map((rule) => `| \`${rule.alert}\` | ${rule.labels.severity} | ${rule.for === '0s' ? 'at once' : rule.for} | ${rule.annotations.description.replaceAll(/\{\{[^}]*\}\}/g, 'n')} |`)
  return ['| alert | severity | after | what it means |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
