// A WebSocket as the stream that mqtt.js wants. What is written before it opens waits for it; what does not
// leave is lost with the connection, as the page never sends an action late.
import { Buffer } from 'buffer';
import { Duplex } from './streams.ts';

type Done = (error?: Error | null) => void;
const BUFFERED_MAX = 512 * 1024;

export function webSocketStream(url: string): Duplex {
  const socket = new WebSocket(url, 'mqtt');
  socket.binaryType = 'arraybuffer';
  let waiting: (() => void) | null = null;
  const write = (chunk: Uint8Array, done: Done): void => {
    const send = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return done(new Error('the connection is closed'));
      if (socket.bufferedAmount > BUFFERED_MAX) return void setTimeout(send, 50);
      socket.send(chunk.slice());
      done();
    };
    if (socket.readyState === WebSocket.CONNECTING) waiting = send;
    else send();
  };
  const stream = new Duplex({
    read() { /* what comes is pushed */ },
    write: (chunk: Uint8Array, _encoding: string, done: Done) => write(chunk, done),
    writev: (chunks: ArrayLike<{ chunk: Uint8Array }>, done: Done) => write(Buffer.concat(Array.from(chunks, ({ chunk }) => chunk)), done), // one frame a packet
    final(done: () => void) {
      socket.close();
      done();
    },
    destroy(error: Error | null, done: (error: Error | null) => void) {
      socket.close();
      done(error);
    },
  });
  socket.onopen = (): void => {
    stream.emit('connect');
    waiting?.();
    waiting = null;
  };
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>): void => { stream.push(Buffer.from(data)); };
  socket.onerror = (): void => { stream.destroy(new Error('the server does not answer')); };
  socket.onclose = (): void => { stream.destroy(); };
  return stream;
}
