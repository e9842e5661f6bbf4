import { KINDS } from './kinds.ts'
import { derived, setting } from './setting.ts'

/** The part of the table about what is measured, and who may read it. */
export const METRICS_SETTINGS = {
  vitals: setting({
    flags: [
      { long: 'vitals', sets: 'true', help: 'Each worker says once a second what it uses, and how many requests it answers how quickly.' },
      { long: 'no-vitals', sets: 'false', help: 'It does not: these figures are missing.' },
    ],
    variables: ['EVERYCORE_VITALS'],
    kind: KINDS.flag,
    default: { value: true, text: 'yes', reason: 'Who looks at a service at night wants to see what its workers do.' },
    group: 'Health',
  }),
  metrics: setting({
    flags: [{ long: 'metrics', placeholder: '[host:]port', sets: '9300', help: 'Serve /metrics, /livez, /readyz and /startupz (127.0.0.1:9300 if nothing is given).' }],
    variables: ['EVERYCORE_METRICS'],
    kind: KINDS.metricsAddress,
    default: derived('off', 'Each open port is a decision of the operator.'),
    group: 'Health',
  }),
} as const
