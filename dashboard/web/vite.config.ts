import { defineConfig } from 'vite';

// One page, hashed assets, no inline scripts or styles: the server's Content-Security-Policy refuses them.
export default defineConfig({
  base: './',
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 400,
    manifest: 'manifest.json',
  },
  worker: { format: 'es' },
  server: { proxy: { '/mqtt': { target: 'ws://127.0.0.1:8088', ws: true }, '/config.json': 'http://127.0.0.1:8088' } },
});
