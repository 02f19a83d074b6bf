// Seals a text to a public key, as lib/crypto.h's flt_box_seal: X25519, HKDF-SHA256, AES-256-GCM.
// Nobody but the holder of the private key opens it: not this page, the broker, or whoever reads the disk.
const LABEL = 'flotilla box 1';

export const unhex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Whether this browser can: WebCrypto needs https or localhost, X25519 a browser of 2025 or newer. */
export async function canSeal(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey('X25519', false, ['deriveBits']);
    return true;
  } catch {
    return false;
  }
}

/** Base64 of ephemeral key (32) | nonce (12) | ciphertext | tag (16). */
export async function seal(publicHex: string, aad: string, text: string): Promise<string> {
  const bytes = new TextEncoder();
  const theirs = unhex(publicHex);
  const pair = (await crypto.subtle.generateKey('X25519', true, ['deriveBits'])) as CryptoKeyPair;
  const ours = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const peer = await crypto.subtle.importKey('raw', theirs, 'X25519', false, []);
  const secret = await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, pair.privateKey, 256);
  const hkdf = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const info = new Uint8Array([...bytes.encode(LABEL), ...ours, ...theirs]);
  const key = await crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }, hkdf, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: bytes.encode(aad) }, key, bytes.encode(text)));
  return btoa(Array.from([...ours, ...nonce, ...sealed], (byte) => String.fromCharCode(byte)).join(''));
}
