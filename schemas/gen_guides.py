"""Writes docs/mqtt-api.md and docs/rest-api.md: every verb and topic with a line that runs as pasted."""
import json
from gen_docs import NOTE, PAGES, anchor

SILENT = ('node_sig', 'node_md', 'ui_job', 'ui_account', 'ui_alert', 'node_fill', 'node_order',
          'node_log', 'node_live', 'node_rp', 'node_res', 'node_ev')
MQTT_HEAD = '''
# The fleet over MQTT, verb by verb

Every line here runs as pasted, with mosquitto's own tools, on the machine of a demo fleet (`flotilla up
--demo`); a test pastes them all. How it works is in [mqtt.md](mqtt.md); the exact forms are in
[requests](reference/requests.md), [messages](reference/messages.md) and the
[AsyncAPI file](../schemas/asyncapi.yaml). Over HTTP: [rest-api.md](rest-api.md).

```sh
FLEET=${FLEET:-$HOME/.local/share/flotilla}
LOGIN="--unix $FLEET/broker/mosquitto.sock -u admin -P $(cat $FLEET/secrets/admin.password)"
U=flt/v1/main/u/admin
ask() { mosquitto_rr $LOGIN -V mqttv5 -q 1 -W 10 -t $U/req/$1 -e $U/res/$1 -m "$2"; }
hear() { mosquitto_sub $LOGIN -t "flt/v1/main/$1" -C 1 -W ${2:-10} -F '%t %p'; }
```

An id shorter than 20 characters is a new request each time; one that is made to be unique (a ULID, a UUID)
is done once, and repeating it brings the first answer. Lines marked *refused* show an error on purpose.

## Asking
'''
REST_HEAD = '''
# The fleet over HTTP

For programs that cannot speak MQTT: the dashboard's port takes every verb as `POST /api/v1/<verb>` with its
arguments as JSON, those that only read also as `GET` with a query, and readable routes besides. The caller
signs in with the own name (Basic) or a token (Bearer, from `token-add`), and the gateway passes the request on
to the broker under that name, so the broker enforces the rights. Answers are `{"ok":true,"result":...}` or
`{"ok":false,"error":{"code","message","hint","field"}}`. The description for generators of clients is
[openapi.json](openapi.json), also at `/api/v1/openapi.json`. The same verbs over MQTT:
[mqtt-api.md](mqtt-api.md).

| status | code | what to do |
|---|---|---|
| 400 | invalid_argument | see `field` and `hint` |
| 401 | denied | sign in |
| 403 | denied | the role does not suffice; or the page is of another origin |
| 404 | not_found | see `hint` |
| 405, 413, 415 | invalid_argument | another method; a smaller body (256 KiB); `Content-Type: application/json` |
| 408 | expired | the clocks differ |
| 409 | conflict, stale | it does not fit what is |
| 422 | insufficient_funds | |
| 429 | rate_limited | after `Retry-After` seconds |
| 502 | venue_error | the venue refused |
| 503 | unavailable | broker, controller or node is away; see `/healthz` |
| 504 | **unknown** | it was sent and no answer came in 15 s (45 s for slow ones): it may have been done. Send it again with the same `Idempotency-Key`, or look at `GET /api/v1/audit` |

`Idempotency-Key` (20 to 48 letters, digits, `-` and `_`; a UUID) is the request's id: the same key is done once
a day, and a repeat gets the first answer.

```sh
FLEET=${FLEET:-$HOME/.local/share/flotilla}
URL=${URL:-http://127.0.0.1:8088}
ME="admin:$(cat $FLEET/secrets/admin.password)"
call() { curl -sS -u "$ME" "$@"; }
json() { curl -sS -u "$ME" -H 'Content-Type: application/json' "$@"; }
```

`/metrics` (Prometheus) and `/healthz` need no login from the machine itself; `/healthz/live` says only that the
server runs:

```sh
curl -sS $URL/metrics | head -3
curl -sS $URL/healthz
curl -sS $URL/healthz/live
```

## Readable routes

AresBot's list (accounts, strategies, start, stop, status, running, trades, statistics, health) is here, and more.

| route | verb |
|---|---|
'''
REST_LINES = '''
```sh
call $URL/api/v1/status
call $URL/api/v1/accounts
call $URL/api/v1/strategies
call $URL/api/v1/bots/running?limit=5
json $URL/api/v1/bots -d '{"bot":{"name":"paste-1","strategy":"grid","account":"demo","instrument":"BTC-USDT","mode":"live","params":{"lower":"60000","upper":"63000","levels":20,"budget":"4000"}}}'
call $URL/api/v1/bots/paste-1/status
json -X POST $URL/api/v1/bots/paste-1/stop -d '{"how":"cancel"}' -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"
call -X POST $URL/api/v1/bots/paste-1/start
call "$URL/api/v1/bots/paste-1/trades?limit=5"
call $URL/api/v1/bots/paste-1/statistics
call $URL/api/v1/trades/stats
call $URL/api/v1/statistics
call $URL/api/v1/health
call -X DELETE "$URL/api/v1/bots/paste-1?force=true"
call $URL/api/v1/backtests
curl -sS $URL/api/v1/openapi.json | head -c 60
```

## Every verb

'''


def order(contract):
    """Examples in the order that the test pastes them; a verb without one fails the build."""
    rows = contract.examples
    missing = {v['name'] for v in contract.verbs} - {r['verb'] for r in rows}
    if missing:
        raise ValueError(f'schemas/examples.json: no example for {sorted(missing)}')
    verbs = {v['name']: v for v in contract.verbs}
    return [(verbs[r['verb']], r) for r in rows]


def verb_link(name):
    return f"[{name}](reference/{PAGES['req']}#{anchor('req/' + name)})"


def quote(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def mqtt(contract):
    out = [NOTE + MQTT_HEAD]
    for verb, row in order(contract):
        refused = f" *Refused*: `{'` or `'.join(row['refused'])}`." if 'refused' in row else ''
        out.append(f"\n### {verb['name']}\n\n{verb['help'].capitalize()}. Role {verb['role']};"
                   f" {verb_link(verb['name'])}.{refused}\n\n```sh\nask {verb['name']}"
                   f" '{{\"id\":\"'$(date +%s%N)'\",\"args\":{quote(row['args'])}}}'\n```\n")
    out.append('\n## Listening\n\nWhat people may read. Those marked *rare* say nothing until there'
               ' is something to say; `live`, `order`, `fill` and `log` only while `bot-watch` asks'
               ' for them.\n\n')
    for row in contract.topics:
        if 'viewer' not in row['readers']:
            continue
        rare = row['name'] in SILENT
        topic = ''.join('+' if part.startswith('<') else part
                        for part in __import__('re').split(r'(<[a-z]+>)', row['topic']))
        out.append(f"### {row['topic']}\n\n{row['help']}{' *Rare.*' if rare else ''}\n\n```sh\nhear"
                   f" '{topic}'{' 2' if rare else ''}\n```\n\n")
    return ''.join(out).rstrip() + '\n'


def rest(contract):
    out = [NOTE + REST_HEAD]
    for route in contract.routes:
        what = verb_link(route['verb']) if 'verb' in route else route['help']
        out.append(f"| `{route['method']} /api/v1/{route['path']}` | {what} |\n")
    out.append(REST_LINES)
    for verb, row in order(contract):
        refused = f" *Refused*: `{'` or `'.join(row['refused'])}`." if 'refused' in row else ''
        out.append(f"{verb_link(verb['name'])}: {verb['help']}.{refused}\n\n```sh\njson"
                   f" $URL/api/v1/{verb['name']} -d '{quote(row['args'])}'\n```\n\n")
    return ''.join(out).rstrip() + '\n'
