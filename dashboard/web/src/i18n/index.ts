// t('key', {values}): the words of the chosen language; each language is a chunk of its own.
import { signal } from '@preact/signals';
import type { Key } from './en.ts';

export type Language = 'en' | 'zh';
export type { Key };
type Table = Record<Key, string>;
const load: Record<Language, () => Promise<Table>> = {
  en: () => import('./en.ts').then((module) => module.en),
  zh: () => import('./zh.ts').then((module) => module.zh),
};
const words = signal<Table>({} as Table); // set before the first draw

const stored = (): Language | null => {
  try {
    const value = localStorage.getItem('flotilla.language');
    return value === 'en' || value === 'zh' ? value : null;
  } catch {
    return null;
  }
};

export const language = signal<Language>(stored() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'));

export async function setLanguage(next: Language): Promise<void> {
  words.value = await load[next]();
  language.value = next;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  try { localStorage.setItem('flotilla.language', next); } catch { /* private window: this visit only */ }
}

export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

export const t = (key: Key, values: Record<string, string | number> = {}): string => fill(words.value[key] ?? key, values);

/** The key's .one or .other form by the language's own rule. */
export function plural(stem: 'fleet.count' | 'halt.effect' | 'orders.silent', n: number, values: Record<string, string | number> = {}): string {
  const rule = new Intl.PluralRules(language.value).select(n) === 'one' ? 'one' : 'other';
  return t(`${stem}.${rule}`, { n: n.toLocaleString('en'), ...values });
}

/** A key made at run time from a word of the wire; without such a key, the word itself. */
export function word(prefix: string, value: string | undefined): string {
  const key = `${prefix}.${value}` as Key;
  return value === undefined ? '' : key in words.value ? t(key) : value;
}
