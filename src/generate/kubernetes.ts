/** `everycore generate kubernetes`: Deployment, Service, HorizontalPodAutoscaler and PodDisruptionBudget in one file. */
import { formatDuration } from '../base/units.ts'
import { containerPort, containerWords, memoryFor, METRICS_PORT, METRICS_WORDS, startSeconds, stopSeconds, type ImageOptions } from './container.ts'
import { isGiven, type Deployment, type GeneratedFile } from './deployment.ts'
import { noted, yamlFile, type Yaml } from './yaml.ts'

/** How long a pod that ends still gets connections: until every node knows that it has left the Service. */
const DRAIN_DELAY_MS = 5000
/** Of a container whose number of workers follows its CPU limit. */
const CPUS_BY_MACHINE = 2
const STARTUP_PERIOD_S = 2

/**
 * The objects of one app.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/
 * @throws EverycoreError ERR_EVERYCORE_GENERATE when the script or the config is not in the directory of the app.
 */
export function kubernetesFiles(deployment: Deployment, options: ImageOptions): readonly GeneratedFile[] {
  const name = objectName(deployment.name)
  const text = yamlFile([workload(deployment, name, options), service(name), autoscaler(name), budget(name)])
  return [{ path: 'kubernetes.yaml', text }]
}

/** A name that every kind of object may have: RFC 1035, at most 63 characters, beginning with a letter. */
export function objectName(name: string): string {
  const clean = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')
  const begun = /^[a-z]/.test(clean) ? clean : `app-${clean}`
  return begun.slice(0, 63).replaceAll(/-+$/g, '')
}

function labels(name: string): Yaml {
  return { 'app.kubernetes.io/name': name }
}

function metadata(name: string): Yaml {
  return { name, labels: labels(name) }
}

function workload(deployment: Deployment, name: string, { image }: ImageOptions): Yaml {
  const { delayMs } = drainDelay(deployment)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(name),
    spec: {
      selector: { matchLabels: labels(name) },
      strategy: noted('No replicas here: the autoscaler below decides. New pods are ready before old ones leave.', { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }),
      template: {
        metadata: {
          labels: labels(name),
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(METRICS_PORT), 'prometheus.io/path': '/metrics' },
        },
        spec: {
          terminationGracePeriodSeconds: noted(
            `--drain-delay ${formatDuration(delayMs)}, --graceful-timeout ${formatDuration(deployment.gracefulTimeoutMs)}, and a margin. No preStop hook: the delay does what\na sleep there would, and crashed workers are replaced meanwhile.`,
            stopSeconds(deployment, delayMs),
          ),
          automountServiceAccountToken: noted('What the app does not need, nobody can steal from it.', false),
          enableServiceLinks: noted('Else a Service called everycore sets EVERYCORE_PORT=tcp://... in all pods.', false),
          securityContext: { runAsNonRoot: true, runAsUser: noted('The user node of the official images.', 1000), runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          topologySpreadConstraints: noted('Over the nodes, so that the loss of one does not take all pods.', [
            { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: labels(name) } },
          ]),
          containers: [container(deployment, name, image ?? `${name}:latest`)],
          volumes: noted('For the control socket and what node keeps; the rest is read-only.', [{ name: 'tmp', emptyDir: {} }]),
        },
      },
    },
  }
}

/** What was chosen, else the time that Kubernetes needs. */
function drainDelay(deployment: Deployment): { readonly delayMs: number; readonly words: Readonly<Record<string, readonly string[]>> } {
  const isChosen = isGiven(deployment, 'drainDelayMs') || deployment.drainDelayMs > 0
  return isChosen ? { delayMs: deployment.drainDelayMs, words: {} } : { delayMs: DRAIN_DELAY_MS, words: { drainDelayMs: ['--drain-delay', formatDuration(DRAIN_DELAY_MS)] } }
}

function container(deployment: Deployment, name: string, image: string): Yaml {
  return {
    name,
    image: noted('Name a version or a digest: with latest nobody knows what runs, and a roll-back finds nothing.', image),
    args: argsOf(deployment),
    env: [{ name: 'NODE_ENV', value: 'production' }],
    ports: [
      { name: 'http', containerPort: containerPort(deployment) },
      { name: 'metrics', containerPort: METRICS_PORT },
    ],
    startupProbe: probe('/startupz', { note: 'Until a worker was ready once; everycore itself gives up within --ready-timeout.', periodS: STARTUP_PERIOD_S, failures: Math.ceil(startSeconds(deployment) / STARTUP_PERIOD_S) }),
    readinessProbe: probe('/readyz', { note: 'Fails from SIGTERM on, while connections that still come are served.', periodS: 2, failures: 1 }),
    livenessProbe: probe('/livez', { note: 'Lenient: everycore replaces workers that hang or crash without the pod being killed.', periodS: 10, failures: 6 }),
    resources: resources(deployment),
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  }
}

function argsOf(deployment: Deployment): Yaml {
  const oneWorker = deployment.workers === undefined
  const words = containerWords(deployment, {
    ...(oneWorker && { workers: ['--workers', '1'] }),
    ...drainDelay(deployment).words,
    ...METRICS_WORDS,
  })
  // The kubelet would expand $(NAME).
  const escaped = words.map((word) => word.replaceAll('$', '$$$$'))
  if (!oneWorker) return escaped
  return noted(
    [
      'One worker: Kubernetes counts, places and scales pods. With one event loop in each, what it measures is what a',
      'worker does, and its restart costs one. Several (generate this file with --workers 4) cost one supervisor and',
      'one sidecar instead of four, and spread connections evenly; then what is asked for below grows with them.',
    ].join('\n'),
    escaped,
  )
}

function probe(path: string, { note, periodS, failures }: { readonly note: string; readonly periodS: number; readonly failures: number }): Yaml {
  return noted(note, { httpGet: { path, port: 'metrics' }, periodSeconds: periodS, timeoutSeconds: 2, failureThreshold: failures })
}

/** A core for each worker; where the number of workers follows the limit, the limit says how many. */
function resources(deployment: Deployment): Yaml {
  const { workers } = deployment
  const byMachine = workers?.kind === 'by-machine'
  const count = byMachine ? CPUS_BY_MACHINE : (workers?.count ?? 1)
  const memory = `${memoryFor(count, deployment) / 1024 ** 2}Mi`
  const why = byMachine
    ? 'The number of workers follows the CPU limit, also when the pod is resized in place.'
    : `A core for each event loop, and one more for garbage collection, zlib, TLS and the boot of a new worker.`
  return {
    requests: { cpu: String(count), memory },
    limits: noted(`${why}\nMemory: each worker, one more during a reload, and the supervisor. Measure, and change it.`, { cpu: String(byMachine ? count : count + 1), memory }),
  }
}

function service(name: string): Yaml {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name),
    spec: { selector: labels(name), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  }
}

function autoscaler(name: string): Yaml {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(name),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: noted('Two, so that one may end.', 2),
      maxReplicas: 10,
      metrics: noted('Of the CPU requests. An event loop that is 70 % busy still answers quickly.', [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }]),
    },
  }
}

function budget(name: string): Yaml {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(name),
    spec: { maxUnavailable: noted('When nodes are drained, one pod after the other.', 1), selector: { matchLabels: labels(name) } },
  }
}
