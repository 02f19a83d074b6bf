// In place of `debug` (the page has no log of packets), `worker-timers` (the client runs in a worker, whose
// timers are not slowed) and `abort-controller` (the browser has its own). CommonJS, as who asks for them is.
const silent = () => {};
module.exports = Object.assign(() => silent, {
  AbortController, AbortSignal, setInterval: globalThis.setInterval, clearInterval: globalThis.clearInterval,
});
