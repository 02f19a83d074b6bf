// mqtt.js in a worker. Clean sessions, our own reconnect with jitter (a new client each time, so that
// nothing that waited is ever sent later), and one batch of messages towards the page at a time:
// while it works on one, topics that only carry a newest value keep just that.
import './mqtt/env.ts';
import MqttClient, { type IClientOptions } from 'mqtt/lib/client';
import { webSocketStream } from './mqtt/socket.ts';
import type { BusMessage, ConnectOptions, FromWorker, PublishOptions, PublishOutcome, RefusedCode, ToWorker } from './client.ts';

const BATCH_MAX = 5000;
const NEWEST_ONLY = /\/(live|hb|state|presence)$|\/ui\/digest\/\d+$/;

// A CommonJS module: its default may stand one level deeper.
const Client = (MqttClient as unknown as { default?: typeof MqttClient }).default ?? MqttClient;

const post = (message: FromWorker): void => self.postMessage(message);
const filters = new Map<string, 0 | 1>();
const decoder = new TextDecoder();
const encoder = new TextEncoder();
let client: MqttClient | null = null;
let options: ConnectOptions | null = null;
let attempt = 0;
let backoffMs = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let lastError = '';

let waiting = new Map<string, BusMessage>(); // insertion order is arrival order
let busy = false;
let scheduled = false;
let unique = 0;
let dropped = 0;

function flush(): void {
  scheduled = false;
  if (busy || waiting.size === 0) return;
  busy = true;
  post({ t: 'batch', batch: [...waiting.values()], dropped });
  waiting = new Map();
}

function take(topic: string, payload: Uint8Array, retained: boolean): void {
  const key = NEWEST_ONLY.test(topic) ? topic : `#${++unique}`;
  if (waiting.size >= BATCH_MAX && !waiting.has(key)) {
    dropped++;
    return;
  }
  waiting.set(key, { topic, text: decoder.decode(payload), retained, at: Date.now() });
  if (!scheduled && !busy) {
    scheduled = true;
    setTimeout(flush, 5);
  }
}

/** CONNACK reason codes, MQTT 5 section 3.2.2.2 and MQTT 3.1.1 section 3.2.2.3. */
function refusal(code: number): RefusedCode | null {
  if (code === 4 || code === 0x86 || code === 0x85) return 'credentials';
  if (code === 5 || code === 0x87 || code === 0x8a) return 'credentials'; // mosquitto says "not authorised" for a wrong password
  if (code === 1 || code === 0x84) return 'server';
  return null; // busy, shutting down, quota: worth another try
}

function drop(): void {
  clearTimeout(timer);
  client?.removeAllListeners();
  client?.on('error', () => {}); // an error after the end is nobody's business
  client?.end(true);
  client = null;
}

function retry(reason: string): void {
  drop();
  backoffMs = Math.min(10000, 250 + Math.random() * Math.max(250, backoffMs * 3 - 250));
  post({ t: 'state', state: { kind: 'waiting', attempt, retryAt: Date.now() + backoffMs, reason } });
  timer = setTimeout(open, backoffMs);
}

function open(): void {
  if (!options) return;
  attempt++;
  lastError = '';
  post({ t: 'state', state: { kind: 'connecting', attempt } });
  const settings: IClientOptions = {
    protocolVersion: 5, clean: true, keepalive: 30, reconnectPeriod: 0, connectTimeout: 8000, resubscribe: false,
    queueQoSZero: false, timerVariant: 'native', clientId: options.clientId,
    username: options.username, password: options.password,
  };
  const { url } = options;
  client = new Client(() => webSocketStream(url), settings);
  client.on('connect', () => {
    attempt = 0;
    backoffMs = 0;
    for (const [filter, qos] of filters) subscribe(filter, qos);
    post({ t: 'state', state: { kind: 'online' } });
  });
  client.on('message', (topic, payload, packet) => take(topic, payload, packet.retain));
  client.on('error', (error) => {
    const code = (error as { code?: unknown }).code;
    const refused = typeof code === 'number' ? refusal(code) : null;
    lastError = error.message;
    if (!refused) return; // 'close' follows
    drop();
    post({ t: 'state', state: { kind: 'refused', code: refused } });
  });
  client.on('close', () => retry(lastError));
}

function subscribe(filter: string, qos: 0 | 1): void {
  client?.subscribe(filter, { qos }, (error, granted) => {
    if (error || granted?.some((grant) => grant.qos >= 128)) post({ t: 'denied', filter });
  });
}

function publish(n: number, topic: string, text: string, extra: PublishOptions): void {
  const done = (outcome: PublishOutcome): void => post({ t: 'published', n, outcome });
  if (!client?.connected) {
    done('offline');
    return;
  }
  const properties = {
    responseTopic: extra.responseTopic,
    correlationData: extra.correlation === undefined ? undefined : (encoder.encode(extra.correlation) as unknown as Buffer),
    messageExpiryInterval: extra.expiryS,
  };
  client.publish(topic, text, { qos: 1, properties }, (error) => {
    const code = (error as { code?: unknown } | undefined)?.code;
    done(!error ? 'sent' : code === 0x87 ? 'denied' : 'unknown');
  });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  switch (data.t) {
  case 'connect':
    drop();
    options = data.options;
    attempt = 0;
    open();
    break;
  case 'subscribe':
    filters.set(data.filter, data.qos);
    if (client?.connected) subscribe(data.filter, data.qos);
    break;
  case 'unsubscribe':
    filters.delete(data.filter);
    if (client?.connected) client.unsubscribe(data.filter);
    break;
  case 'publish':
    publish(data.n, data.topic, data.text, data.options);
    break;
  case 'taken':
    busy = false;
    flush();
    break;
  case 'end':
    options = null;
    filters.clear();
    drop();
    post({ t: 'state', state: { kind: 'idle' } });
    break;
  }
};
