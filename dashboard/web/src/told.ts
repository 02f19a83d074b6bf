// Sentences that the fleet wrote, in the reader's language where it is known (i18n/told.ts, a chunk of its own).
import { effect, signal } from '@preact/signals';
import { language, word } from './i18n/index.ts';
import { visible } from './lib/text.ts';

const read = signal<((text: string) => string | undefined) | null>(null);
const ours = (name: string): string => ['phase', 'role', 'halt.scope'].map((prefix) => word(prefix, name)).find((text) => text !== name) ?? name;
effect(() => {
  if (language.value === 'zh' && !read.peek()) void import('./i18n/told.ts').then(({ reader, told }) => { read.value = reader(told, ours); });
});

/** As text; what is not known stays as it came. */
export const toldText = (text: string): string => visible((language.value === 'zh' ? read.value?.(text) : undefined) ?? text);
