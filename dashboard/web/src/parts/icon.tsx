// A few line icons, drawn here: no icon font, no request.
import type { VNode } from 'preact';

const PATHS = {
  fleet: 'M3 5h18M3 12h18M3 19h18M7 3v4M14 10v4M10 17v4',
  deploy: 'M12 3v12M7 8l5-5 5 5M4 15v4a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-4',
  nodes: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01',
  boat: 'M12 3v11H5zM14 7v7h5zM3 17h18c-1 2.6-3 4-6 4H9c-3 0-5-1.4-6-4z',
  alert: 'M12 3 2 20h20zM12 10v4M12 17h.01',
  halt: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16h.01',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4l13 8-13 8z',
  stop: 'M6 6h12v12H6z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
  gear: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5v5M8 14.5v5',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  back: 'M15 5l-7 7 7 7',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M4 12l6 6L20 6',
  trash: 'M5 7h14M10 4h4M7 7l1 13h8l1-13',
  eye: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  save: 'M12 4v11M7 10l5 5 5-5M4 20h16',
  lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3',
  wallet: 'M3 7h16v12H3zM3 7l12-4v4M15 13h6',
  list: 'M4 6h16M4 12h16M4 18h10',
  chart: 'M4 4v16h16M8 15l4-5 3 3 5-7',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  book: 'M5 4h11l3 3v13H5zM9 10h6M9 14h6',
  flask: 'M9 3h6M10 3v6L4 20h16L14 9V3',
  key: 'M14 10a4 4 0 1 0-4 4 4 4 0 0 0 4-4zM13 13l8 8M17 17l2-2',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 4a4 4 0 0 1 0 7M18 15a7 7 0 0 1 4 6',
  token: 'M4 8h16v8H4zM8 12h.01M12 12h4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  star: 'M12 4l2.5 5.2 5.5.8-4 4 1 5.6-5-2.7-5 2.7 1-5.6-4-4 5.5-.8z',
  copy: 'M8 8h12v12H8zM4 16V4h12',
  edit: 'M4 20h4L19 9l-4-4L4 16z',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }): VNode => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={PATHS[name]} /></svg>
);
