import { greatest, percentiles, perSecond, type Section } from './panel.ts'

/** Sections about delegated leave events and about the processes. */
export const STATE_SECTIONS: readonly Section[] = [
  {
    title: 'Delegated leave events',
    panels: [
      {
        title: 'Held, by state',
        description:
          'Leave events that clients handed over: "waiting" for the participant to join the call, "connected" ' +
          'while in it, "leaving" while the event is being sent. Estimated beyond 500.',
        unit: 'short',
        queries: [greatest('jwt_service_delegations', 'state')],
      },
      {
        title: 'Changes of state',
        description:
          'From "none" a delegation was accepted. "finished" is the good end. "connected" to "dropped" means ' +
          'that the homeserver announces a leave although the participant is still in the call.',
        unit: 'ops',
        queries: [perSecond('jwt_service_delegation_transitions_total', ['from', 'to'])],
      },
      {
        title: 'Restarts',
        description:
          'While a participant is connected, the event is put off again and again. "late" restarts still ' +
          'counted but had little time to spare; "failed" ones are tried again until the deadline.',
        unit: 'ops',
        queries: [perSecond('jwt_service_delegation_restarts_total', ['outcome'])],
      },
      {
        title: 'Due now',
        description: 'Delegations whose next action is due, in all replicas. Near zero is normal.',
        unit: 'short',
        queries: [greatest('jwt_service_delegations_due', 'job', 'due')],
      },
      {
        title: 'Oldest overdue',
        description:
          'For how long the oldest due action has waited. Beyond some seconds work is behind: the process is ' +
          'too busy, no replica works, or homeservers are slow.',
        unit: 's',
        queries: [greatest('jwt_service_oldest_overdue_seconds', 'job', 'overdue')],
      },
    ],
  },
  {
    title: 'State store',
    panels: [
      {
        title: 'Store answers',
        description:
          '1 while the state store (Redis, or an SQLite file) answers, 0 while it is away.',
        unit: 'short',
        queries: [greatest('jwt_service_store_up', 'instance')],
      },
      {
        title: 'Duration of store operations',
        description: 'How long operations of the state store take.',
        unit: 's',
        queries: percentiles('jwt_service_store_call_duration_seconds', ['operation']),
      },
      {
        title: 'Store operations',
        description: 'Operations of the state store, done or failed.',
        unit: 'ops',
        queries: [perSecond('jwt_service_store_calls_total', ['operation', 'outcome'])],
      },
      {
        title: 'Replicas',
        description:
          'Processes that have used the same Redis in the last 5 s, as each of them sees it. Less than you run ' +
          'means that some use another Redis, or none.',
        unit: 'short',
        queries: [greatest('jwt_service_replicas', 'instance')],
      },
    ],
  },
  {
    title: 'Process',
    panels: [
      {
        title: 'Event loop lag',
        description:
          'How late timers fire, that is, how long requests wait for the processor. Beyond 0.25 s the process ' +
          'is overloaded or stuck.',
        unit: 's',
        queries: percentiles('jwt_service_event_loop_lag_seconds', ['instance']),
      },
      {
        title: 'CPU',
        description: 'Processor time; 100 % is one core.',
        unit: 'percentunit',
        queries: [perSecond('process_cpu_seconds_total', ['instance'])],
      },
      {
        title: 'Memory',
        description: 'Resident memory.',
        unit: 'bytes',
        queries: [greatest('process_resident_memory_bytes', 'instance')],
      },
      {
        title: 'Open files',
        description:
          'Files and connections. Growth without end is a leak, or clients that never hang up.',
        unit: 'short',
        queries: [greatest('process_open_fds', 'instance')],
      },
      {
        title: 'Log lines dropped',
        description: 'Log lines lost a second because nobody read standard output.',
        unit: 'ops',
        queries: [perSecond('jwt_service_log_lines_dropped_total', ['instance'])],
      },
      {
        title: 'Started',
        description: 'When each process was started.',
        unit: 'dateTimeAsIso',
        kind: 'stat',
        queries: [
          {
            expr: 'max by (instance) (process_start_time_seconds{job=~"$job"}) * 1000',
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Versions',
        description: 'How many processes run which version.',
        unit: 'short',
        kind: 'stat',
        queries: [
          {
            expr: 'count by (version, runtime) (jwt_service_build_info{job=~"$job"})',
            legend: '{{version}} on {{runtime}}',
          },
        ],
      },
    ],
  },
]
