// The one way the page talks MQTT: narrow, so that the library behind it can be changed.
// The client runs in a worker (worker.ts, mqtt.js): a flood of messages never blocks the page, and
// its timers are not slowed in a hidden tab.

export type BusState =
  | { kind: 'idle' }
  | { kind: 'connecting'; attempt: number }
  | { kind: 'online' }
  | { kind: 'waiting'; attempt: number; retryAt: number; reason: string } // lost; tries again at retryAt
  | { kind: 'refused'; code: RefusedCode };                              // will not try again

export type RefusedCode = 'credentials' | 'denied' | 'server';

export interface BusMessage { topic: string; text: string; retained: boolean; at: number }

export interface ConnectOptions { url: string; username: string; password: string; clientId: string }

export interface PublishOptions { responseTopic?: string; correlation?: string; expiryS?: number }

/** What became of a publish: the broker has it, it never left, it was refused, or nobody knows. */
export type PublishOutcome = 'sent' | 'offline' | 'denied' | 'unknown';

export interface BusClient {
  connect(options: ConnectOptions): void;
  subscribe(filter: string, qos: 0 | 1): void;
  unsubscribe(filter: string): void;
  publish(topic: string, text: string, options: PublishOptions): Promise<PublishOutcome>;
  end(): void;
  onMessage: (batch: BusMessage[]) => void;
  onState: (state: BusState) => void;
  onDenied: (filter: string) => void; // a subscription that the broker refused
}

export type ToWorker =
  | { t: 'connect'; options: ConnectOptions }
  | { t: 'subscribe'; filter: string; qos: 0 | 1 }
  | { t: 'unsubscribe'; filter: string }
  | { t: 'publish'; n: number; topic: string; text: string; options: PublishOptions }
  | { t: 'taken' }
  | { t: 'end' };
export type FromWorker =
  | { t: 'state'; state: BusState }
  | { t: 'batch'; batch: BusMessage[]; dropped: number }
  | { t: 'published'; n: number; outcome: PublishOutcome }
  | { t: 'denied'; filter: string };

export function createClient(): BusClient {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, (outcome: PublishOutcome) => void>();
  let number = 0;
  const post = (message: ToWorker): void => worker.postMessage(message);
  const client: BusClient = {
    connect: (options) => post({ t: 'connect', options }),
    subscribe: (filter, qos) => post({ t: 'subscribe', filter, qos }),
    unsubscribe: (filter) => post({ t: 'unsubscribe', filter }),
    publish: (topic, text, options) => new Promise((resolve) => {
      waiting.set(++number, resolve);
      post({ t: 'publish', n: number, topic, text, options });
    }),
    end: () => post({ t: 'end' }),
    onMessage: () => {},
    onState: () => {},
    onDenied: () => {},
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
    if (data.t === 'state') client.onState(data.state);
    else if (data.t === 'denied') client.onDenied(data.filter);
    else if (data.t === 'batch') {
      client.onMessage(data.batch);
      post({ t: 'taken' });
    } else {
      waiting.get(data.n)?.(data.outcome);
      waiting.delete(data.n);
    }
  };
  return client;
}
