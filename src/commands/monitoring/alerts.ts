/**
 * The `alerts` command: rules for Prometheus, for what somebody should get up for.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export const ALERTS_TEXT = `# Alerts about jwt-service. Put the file where rule_files of prometheus.yml finds it.
groups:
  - name: jwt-service
    rules:
      # Every LiveKit room that is created and every participant who joins makes the SFU send one.
      - alert: JwtServiceWebhooksMissing
        expr: |
          (
            sum by (job) (increase(jwt_service_sfu_calls_total{method="CreateRoom",outcome="ok"}[15m])) > 5
            or
            sum by (job) (increase(jwt_service_delegation_transitions_total{to="connected"}[15m])) > 0
          )
          unless
          sum by (job) (increase(jwt_service_webhooks_total[15m])) > 0
        for: 10m
        labels:
          severity: critical
        annotations:
          summary: 'The SFU sends no webhooks to {{ $labels.job }}'
          description: >-
            Tokens for calls were handed out or participants are connected, but no webhook of the SFU has
            come for 15 minutes. Whoever leaves a call stays listed in it for long. Look for
            webhook.urls in LiveKit's configuration: it must be a URL at which LiveKit reaches this service,
            with /sfu_webhook, and webhook.api_key must be LIVEKIT_KEY. Look in the log of this service for
            requests to /sfu_webhook that were refused (step "webhook").

      - alert: JwtServiceWorkOverdue
        expr: max by (job) (jwt_service_oldest_overdue_seconds) > 15
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: 'Work of {{ $labels.job }} is {{ $value | humanizeDuration }} behind'
          description: >-
            Delegated leave events should have been restarted or sent long ago. Participants may vanish from
            calls that they are in. See whether all replicas run and which of them are not ready (/readyz
            says why), whether they lack processor time (event loop lag), and whether the log says
            "an attempt failed" for one homeserver. Restarting a replica that stands still is safe: others,
            or the new process, take its work over.

      - alert: JwtServiceStoreAway
        expr: min by (job, instance) (jwt_service_store_up) == 0
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: 'The state store of {{ $labels.instance }} does not answer'
          description: >-
            Delegated leave events are refused, and webhooks are answered with 503. Tokens are handed out for
            OpenID tokens as before, but not in application-service mode. See whether Redis runs and accepts connections (memory, disk, password), or whether the
            disk of the SQLite file is full. The lines "Redis is not connected" and "the state store
            is away" in the log say what is wrong. Restarting this service does not help, and loses what
            it remembers of delegations.

      # Not "refused": strangers can present tokens that the homeserver does not know.
      - alert: JwtServiceVerificationFailing
        expr: |
          sum by (job) (increase(jwt_service_verifications_total{server="named",outcome="failed"}[10m])) > 5
          and
          sum by (job) (increase(jwt_service_verifications_total{server="named",outcome="failed"}[10m]))
            > 0.25 * sum by (job) (increase(jwt_service_verifications_total{server="named",outcome="ok"}[10m]))
        for: 5m
        labels:
          severity: critical
        annotations:
          summary: '{{ $labels.job }} cannot verify users of your homeservers'
          description: >-
            {{ $value | humanize }} verifications have failed in 10 minutes for servers that the settings name
            (LIVEKIT_FULL_ACCESS_HOMESERVERS, LIVEKIT_FEDERATION_URL_OVERRIDES): their users cannot join
            calls. The log lines with step "discovery", "connect" or "userinfo" name the server, the
            cause and what helps. See whether its federation API answers from here, and its certificate
            is valid.

      # A process that is stuck altogether answers no scrape either.
      - alert: JwtServiceStuck
        expr: |
          max by (job, instance) (
            rate(jwt_service_event_loop_lag_seconds_sum[5m]) / rate(jwt_service_event_loop_lag_seconds_count[5m])
          ) > 0.25
          or
          (
            max by (job, instance) (up) == 0
            and
            max by (job, instance) (last_over_time(jwt_service_build_info[1h]))
          )
        for: 3m
        labels:
          severity: critical
        annotations:
          summary: '{{ $labels.instance }} is stuck, or gone'
          description: >-
            The event loop is late by over a quarter of a second on average, or the process does not answer
            scrapes. Requests to it are slow or fail. See whether the process runs, and whether it gets
            processor time (limits, neighbours, swapping). If it runs at full load without many requests,
            keep its log and restart it: that is safe.
`
