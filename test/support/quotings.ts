// The forms in which a service, a proxy or a program may quote a text: what masks must see through. Each is what real
// programs write; Python's were taken from CPython 3.11.

const bytesOf = (text: string): Buffer => Buffer.from(text);
const base64 = (text: string): string => bytesOf(text).toString('base64');

/** As Python's json.dumps with its default ensure_ascii. */
function jsonAscii(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** As Python's repr of a text: single quotes, unless only those stand in it. */
function repr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** As Python's repr of bytes. */
function reprBytes(text: string): string {
  const letters = [...bytesOf(text)].map((byte) => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `b'${letters.join('')}'`;
}

/** As Python's urllib quote, which guards all but letters, digits and "_.-~" (and "/"). */
const quoted = (text: string, safe = /[A-Za-z0-9_.~/-]/): string =>
  [...bytesOf(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return byte < 0x80 && safe.test(letter)
        ? letter
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

const entities = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#x27;');

const numeric = (text: string, write: (code: number) => string): string =>
  [...text].map((letter) => write(letter.codePointAt(0) ?? 0)).join('');

/** A login request that holds the text, as Keystone gets it. */
const login = (text: string): string =>
  JSON.stringify({ auth: { identity: { methods: ['password'], password: { user: { password: text } } } } });

/** A text within an error, by the name of its form. */
export const quotings: Readonly<Record<string, (secret: string) => string>> = {
  raw: (s) => `it said ${s} there`,
  json: (s) => login(s),
  'json in json': (s) => JSON.stringify({ message: `bad request: ${login(s)}` }),
  'json in json in json': (s) => JSON.stringify({ log: JSON.stringify({ message: login(s) }) }),
  'json of python (\\u)': (s) => `{"password": ${jsonAscii(s)}}`,
  'json of python in json of python': (s) => `{"message": ${jsonAscii(`{"password": ${jsonAscii(s)}}`)}}`,
  'json with \\u of every letter': (s) =>
    [...Array(s.length).keys()]
      .map((i) => `\\u${s.charCodeAt(i).toString(16).toUpperCase().padStart(4, '0')}`)
      .join(''),
  encodeURIComponent: (s) => `/v3?password=${encodeURIComponent(s)}&x=1`,
  'quote()': (s) => `password=${quoted(s)}`,
  'quote() in lower case': (s) =>
    `password=${quoted(s).replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())}`,
  'percent of every letter': (s) => quoted(s, /[^\s\S]/),
  'quoted twice': (s) => encodeURIComponent(encodeURIComponent(s)),
  form: (s) => new URLSearchParams({ user: 'admin', password: s }).toString(),
  'form of json': (s) => new URLSearchParams({ body: login(s) }).toString(),
  'html entities': (s) => `<html><body><pre>${entities(s)}</pre></body></html>`,
  'html entities of json': (s) => `<pre>${entities(login(s))}</pre>`,
  'html decimal': (s) => numeric(s, (code) => `&#${code};`),
  'html hexadecimal': (s) => numeric(s, (code) => `&#x${code.toString(16)};`),
  'html with zeros': (s) => numeric(s, (code) => `&#${String(code).padStart(5, '0')};`),
  'html named': (s) =>
    entities(s)
      .replaceAll('!', '&excl;')
      .replaceAll('ä', '&auml;')
      .replaceAll('€', '&euro;')
      .replaceAll('$', '&dollar;'),
  base64: (s) => `secret ${base64(s)}.`,
  'base64, one letter later': (s) => base64(`x${s}`),
  'base64, two letters later': (s) => base64(`xy${s}z`),
  'basic auth': (s) => `Authorization: Basic ${base64(`admin:${s}`)}`,
  'base64 of json': (s) => base64(login(s)),
  'base64 of json of python': (s) => base64(`{"password": ${jsonAscii(s)}}`),
  'base64 for URLs': (s) => bytesOf(`admin:${s}`).toString('base64url'),
  'base64 in lines': (s) =>
    base64(`${'.'.repeat(50)}${s}${'.'.repeat(40)}`)
      .match(/.{1,76}/g)
      ?.join('\n') ?? '',
  'base64 in lines, in json': (s) =>
    JSON.stringify(
      base64(`${'.'.repeat(50)}${s}${'.'.repeat(40)}`)
        .match(/.{1,76}/g)
        ?.join('\n'),
    ),
  'base64 glued to a word': (s) => `data/base64/${base64(s)}`,
  'base64 of base64': (s) => base64(`password: ${base64(s)}`),
  hex: (s) => `bytes ${bytesOf(s).toString('hex')}`,
  'hex in upper case': (s) => `0x${bytesOf(s).toString('hex').toUpperCase()}`,
  'hex in pairs': (s) => bytesOf(s).toString('hex').match(/../g)?.join(':') ?? '',
  'hex of json': (s) => bytesOf(login(s)).toString('hex'),
  'shlex.quote': (s) => `ipmitool -P '${s.replaceAll("'", `'"'"'`)}' power off`,
  'single quotes of a shell': (s) => `-P '${s.replaceAll("'", `'\\''`)}'`,
  'single quotes of a shell, in json': (s) => JSON.stringify(`-P '${s.replaceAll("'", `'\\''`)}'`),
  'shlex.quote in json': (s) => JSON.stringify(`-P '${s.replaceAll("'", `'"'"'`)}'`),
  'double quotes of a shell': (s) => `-P "${s.replaceAll(/["\\$`!]/g, '\\$&')}"`,
  'printf %q': (s) => s.replaceAll(/[^A-Za-z0-9_./-]/gu, '\\$&'),
  'python repr': (s) => `ValueError: {'password': ${repr(s)}}`,
  'python repr of a repr': (s) => repr(`{'password': ${repr(s)}}`),
  'python repr of bytes': (s) => `body=${reprBytes(s)}`,
  'python repr of bytes of json': (s) => reprBytes(login(s)),
  "bash $'…' by octal": (s) =>
    `$'${[...bytesOf(s)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`,
  url: (s) => `https://admin:${encodeURIComponent(s)}@keystone.example.org/v3`,
};
