// The four stream classes that mqtt.js and mqtt-packet use, without the rest of readable-stream
// (operators, pipelines, promises): vite.config.ts puts this in its place.
import { Stream } from 'readable-stream/lib/internal/streams/legacy';
import Readable from 'readable-stream/lib/internal/streams/readable';
import Writable from 'readable-stream/lib/internal/streams/writable';
import Duplex from 'readable-stream/lib/internal/streams/duplex';
import Transform from 'readable-stream/lib/internal/streams/transform';
import { Buffer } from 'buffer';

Object.assign(Stream, { // what lib/stream.js adds
  _isUint8Array: (value: unknown) => value instanceof Uint8Array,
  _uint8ArrayToBuffer: (chunk: Uint8Array) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
});

export { Readable, Writable, Duplex, Transform };
