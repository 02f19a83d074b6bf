// Text that strangers wrote, made fit to be shown: control and direction marks become visible, length ends.
const MARKS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const hex = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

export const visible = (text: string, max = 4000): string => {
  const cut = text.length > max ? text.slice(0, max) + '…' : text;
  return cut.replace(MARKS, hex);
};

/** JSON for people, in which nothing can turn the direction of the text. */
export const pretty = (value: unknown): string => visible(JSON.stringify(value, null, 2) ?? '', 200000);
