// Topics of one tenant (docs: schemas/topics.md) and MQTT's wildcard rule.

export const root = (tenant: string): string => `flt/v1/${tenant}/`;

/** Whether `topic` matches the filter, with + for one level and # for the rest (MQTT 5, 4.7.1). */
export function matches(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  for (let i = 0; i < want.length; i++) {
    if (want[i] === '#') return true; // also the parent level
    if (i >= have.length) return false;
    if (want[i] !== '+' && want[i] !== have[i]) return false;
  }
  return want.length === have.length;
}

/** A level made by people may not carry what topics mean: one of [A-Za-z0-9_-], 1 to 48. */
export const isLevel = (text: string): boolean => /^[A-Za-z0-9_-]{1,48}$/.test(text);
export const isName = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,31}$/.test(text);
