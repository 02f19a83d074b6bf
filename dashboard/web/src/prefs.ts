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
