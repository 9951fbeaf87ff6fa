/** Text forms of bytea and of encode()/decode(). */
import { StreamError } from './error.ts';

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function bytesToHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexDigits[byte];
  return text;
}

function invalid(message: string): StreamError {
  return new StreamError('VALUE_INVALID_PARAMETER', message);
}

/** Reads hexadecimal digits; white space between bytes is skipped, as decode(…, 'hex') does. */
export function bytesFromHex(text: string): Uint8Array {
  const compact = text.replace(/[ \n\t\r]/g, '');
  const bad = /[^0-9a-fA-F]/u.exec(compact);
  if (bad !== null) throw invalid(`invalid hexadecimal digit: "${bad[0]}"`);
  if (compact.length % 2 !== 0) throw invalid('invalid hexadecimal data: odd number of digits');
  const bytes = new Uint8Array(compact.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(compact.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}

/** bytea_output = 'hex'. */
export function byteaToText(bytes: Uint8Array): string {
  return `\\x${bytesToHex(bytes)}`;
}

/** Reads both input forms of bytea: `\xdeadbeef` and the traditional escapes `\\`, `\ooo`. */
export function byteaFromText(text: string): Uint8Array {
  if (text.startsWith('\\x')) return bytesFromHex(text.slice(2));
  const source = new TextEncoder().encode(text);
  const bytes: number[] = [];
  for (let at = 0; at < source.length; at++) {
    const byte = source[at] as number;
    if (byte !== 0x5c) {
      bytes.push(byte);
      continue;
    }
    if (source[at + 1] === 0x5c) {
      bytes.push(0x5c);
      at++;
      continue;
    }
    const octal = String.fromCharCode(...source.slice(at + 1, at + 4));
    if (!/^[0-3][0-7][0-7]$/.test(octal)) {
      throw new StreamError('VALUE_INVALID_TEXT', 'invalid input syntax for type bytea');
    }
    bytes.push(Number.parseInt(octal, 8));
    at += 3;
  }
  return Uint8Array.from(bytes);
}

/** encode(…, 'escape'): zero and high bytes as octal, backslash doubled. */
export function bytesToEscape(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0x5c) text += '\\\\';
    else if (byte === 0 || byte >= 0x80) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_LINE = 76;

/** encode(…, 'base64'): a line break after every 76 characters. */
export function bytesToBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group =
      ((bytes[at] as number) << 16) |
      ((left > 1 ? (bytes[at + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] as number) : 0);
    text += base64Alphabet.charAt(group >> 18) + base64Alphabet.charAt((group >> 12) & 63);
    text += left > 1 ? base64Alphabet.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? base64Alphabet.charAt(group & 63) : '=';
  }
  return text.replace(new RegExp(`(.{${BASE64_LINE}})(?=.)`, 'g'), '$1\n');
}

/** decode(…, 'base64'): white space is skipped, the end must be complete. */
export function bytesFromBase64(text: string): Uint8Array {
  const compact = text.replace(/[ \t\n\r]/g, '');
  const bytes: number[] = [];
  let group = 0;
  let count = 0;
  let padding = 0;
  for (const char of compact) {
    const value = char === '=' ? 0 : base64Alphabet.indexOf(char);
    if (value < 0) throw invalid(`invalid symbol "${char}" found while decoding base64 sequence`);
    if (char === '=') {
      if (padding === 0 && count < 2)
        throw invalid('unexpected "=" while decoding base64 sequence');
      padding++;
    } else if (padding > 0) throw invalid('invalid base64 end sequence');
    group = (group << 6) | value;
    count++;
    if (count < 4) continue;
    bytes.push((group >> 16) & 255);
    if (padding < 2) bytes.push((group >> 8) & 255);
    if (padding < 1) bytes.push(group & 255);
    group = 0;
    count = 0;
  }
  if (count !== 0) throw invalid('invalid base64 end sequence');
  return Uint8Array.from(bytes);
}

/** A character for each byte, for what is defined over text. */
export function latinFromBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The reverse; every character is below 256. */
export function bytesFromLatin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
