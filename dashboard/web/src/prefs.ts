// What a person chose and this browser keeps: theme, colours of up and down.
import { signal } from '@preact/signals';

export type Theme = 'dark' | 'light';
export type UpDown = 'green' | 'red' | 'blue';
const root = document.documentElement;

const keep = (key: string, value: string): void => {
  try { localStorage.setItem(key, value); } catch { /* private window: this visit only */ }
};

export const theme = signal<Theme>(root.dataset.theme === 'light' ? 'light' : 'dark');
export const updown = signal<UpDown>((root.dataset.updown as UpDown | undefined) ?? 'green');
const stored = (key: string): string | null => { try { return localStorage.getItem(key); } catch { return null; } };
const PACES = [250, 1000, 5000];
export const pace = signal(PACES.find((ms) => String(ms) === stored('flotilla.pace')) ?? 250); // ms between two draws of live values
export const keysOn = signal(stored('flotilla.keys') !== 'off');                                // single-key shortcuts (WCAG 2.1.4)
export const paused = signal(false); // "Pause updates" (WCAG 2.2.2): tables stand still, the age goes on

export function setTheme(next: Theme): void {
  root.dataset.theme = next;
  keep('flotilla.theme', next);
  theme.value = next;
}

export function setUpDown(next: UpDown): void {
  root.dataset.updown = next;
  keep('flotilla.updown', next);
  updown.value = next;
}

/** A custom property's value, for canvases, which take no CSS variables. */
export const color = (name: string): string => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

export function setPace(ms: number): void {
  keep('flotilla.pace', String(ms));
  pace.value = ms;
}

export function setKeys(on: boolean): void {
  keep('flotilla.keys', on ? 'on' : 'off');
  keysOn.value = on;
}

/** Filters that a person saved, by name. */
export const filters = signal<Record<string, string>>((() => {
  try { return JSON.parse(stored('flotilla.filters') ?? '{}') as Record<string, string>; } catch { return {}; }
})());

export function saveFilter(name: string, query: string | null): void {
  const next = { ...filters.value };
  if (query === null) delete next[name];
  else next[name] = query;
  keep('flotilla.filters', JSON.stringify(next));
  filters.value = next;
}
