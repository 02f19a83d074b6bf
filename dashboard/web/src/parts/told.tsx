// A sentence that the fleet wrote: in the reader's language where it is known, else as it came and marked as English.
import type { VNode } from 'preact';
import { language } from '../i18n/index.ts';
import { toldText } from '../told.ts';

export function Told({ text }: { text: string }): VNode {
  const shown = toldText(text);
  return language.value === 'zh' && !/\p{Script=Han}/u.test(shown) && /[a-z]{2}/i.test(shown) ? <span lang="en">{shown}</span> : <>{shown}</>;
}
