import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const { resolve } = createRequire(import.meta.url);
const ours = (name: string): string => join(here, 'src/bus/mqtt', name);

// mqtt.js as published for browsers is 96 KB gzipped; the page needs its client, over a WebSocket, in a worker.
const trimmed: [RegExp, string][] = [
  [/^readable-stream$/, ours('streams.ts')], [/^(debug|worker-timers|abort-controller)$/, ours('nothing.cjs')], [/^lru-cache$/, ours('lru.ts')],
  [/^bl$/, resolve('bl/BufferList')], [/^buffer$/, resolve('buffer/index.js')], [/^events$/, resolve('events/events.js')],
];
const version: Plugin = { // mqtt.js reads its version from its package.json, all of which would come along
  name: 'mqtt-version', enforce: 'pre',
  resolveId: (id, from) => (id.endsWith('/package.json') && /[/\\]mqtt[/\\]build[/\\]/.test(from ?? '') ? '\0mqtt-version' : null),
  load: (id) => (id === '\0mqtt-version' ? 'export const version = "5";' : null),
};

// One page, hashed assets, no inline scripts or styles: the server's Content-Security-Policy refuses them.
export default defineConfig({
  base: './',
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: { alias: trimmed.map(([find, replacement]) => ({ find, replacement })) },
  plugins: [version],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 400,
    manifest: 'manifest.json',
  },
  worker: { format: 'es', plugins: () => [version] },
  server: { proxy: { '/mqtt': { target: 'ws://127.0.0.1:8088', ws: true }, '/config.json': 'http://127.0.0.1:8088' } },
});
