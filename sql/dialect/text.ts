import { StreamError } from '../base/error.ts';
import { type DialectRow, type Read, renamed } from './entry.ts';
import { template } from './template.ts';

const ENCODINGS = ['hex', 'base64', 'utf8', 'ascii'];

/**
 * By the encoding that the second argument names; NULL for one that turns out to be unknown later.
 * @param coded  SQL with `?` for the name of a binary encoding.
 * @param plain  SQL for text.
 */
function byEncoding(coded: string, plain: string): Read {
  const read = template(`CASE lower($2) WHEN 'hex' THEN ${coded.replace('?', 'hex')}
    WHEN 'base64' THEN ${coded.replace('?', 'base64')} WHEN 'utf8' THEN ${plain} WHEN 'ascii' THEN ${plain} END`);
  return (args, call) => {
    const [, encoding] = args;
    if (encoding?.kind === 'string' && !ENCODINGS.includes(encoding.value.toLowerCase())) {
      throw new StreamError(
        'VALUE_INVALID_PARAMETER',
        `encoding "${encoding.value}" is not known`,
        { at: encoding.span, hint: `Known are ${ENCODINGS.join(', ')}.` },
      );
    }
    return read(args, call);
  };
}

/** Flink's tests of all characters; NULL fails them. */
const consistsOf = (pattern: string): Read => template(`coalesce($1 ~ '${pattern}', false)`);

export const texts: readonly DialectRow[] = [
  [
    'startswith',
    'text, text',
    'boolean',
    'whether it begins with the second',
    renamed('starts_with'),
  ],
  [
    'endswith',
    'text, text',
    'boolean',
    'whether it ends with the second',
    template('right($1, length($2)) = $2'),
  ],
  ['regexp', 'text, text', 'boolean', 'whether the pattern is found in it', template('$1 ~ $2')],
  ['is_alpha', 'text', 'boolean', 'whether it consists of letters', consistsOf('^[[:alpha:]]+$')],
  ['is_digit', 'text', 'boolean', 'whether it consists of digits', consistsOf('^[[:digit:]]+$')],
  [
    'is_decimal',
    'text',
    'boolean',
    'whether it is a decimal number',
    consistsOf('^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$'),
  ],
  [
    'to_bytes',
    'text, text',
    'bytea',
    'bytes that a text in hex, utf8, ascii or base64 stands for',
    byEncoding("decode($1, '?')", "convert_to($1, 'UTF8')"),
  ],
  [
    'from_bytes',
    'bytea, text',
    'text',
    'bytes as text in hex, utf8, ascii or base64',
    byEncoding("replace(encode($1, '?'), chr(10), '')", "convert_from($1, 'UTF8')"),
  ],
  [
    'encode',
    'text, text, text',
    'text',
    'text of one encoding in another one: hex, utf8, ascii or base64',
    template('from_bytes(to_bytes($1, $2), $3)'),
  ],
  [
    'from_base64',
    'text',
    'text',
    'text whose UTF-8 is written in base64',
    template("convert_from(decode($1, 'base64'), 'UTF8')"),
  ],
  [
    'to_base64',
    'text',
    'text',
    'its UTF-8 in base64, on one line',
    template("replace(encode(convert_to($1, 'UTF8'), 'base64'), chr(10), '')"),
  ],
  [
    'sha2',
    'text, integer',
    'text',
    'SHA-2 of so many bits (224, 256, 384, 512) of its UTF-8, in hex; NULL for another number',
    template(`encode(CASE $2 WHEN 224 THEN sha224(convert_to($1, 'UTF8'))
      WHEN 256 THEN sha256(convert_to($1, 'UTF8')) WHEN 384 THEN sha384(convert_to($1, 'UTF8'))
      WHEN 512 THEN sha512(convert_to($1, 'UTF8')) END, 'hex')`),
  ],
];

// ----------------------------------------------------------------------- URLs

/** RFC 3986, appendix B: each part by itself. */
const part = (pattern: string): string => `substring($1 from '${pattern}')`;
const AUTHORITY = '^[^:/?#]+://(?:[^/?#@]*@)?';
const host = part(`${AUTHORITY}([^/?#:]+)`);
const path = part('^[^:/?#]+://[^/?#]*([^?#]*)');
const query = part('^[^?#]*[?]([^#]*)');
const protocol = part('^([A-Za-z][A-Za-z0-9+.-]*):');
const fragment = part('#(.*)$');

export const urls: readonly DialectRow[] = [
  ['url_extract_protocol', 'text', 'text', 'protocol of a URL', template(protocol)],
  ['url_extract_host', 'text', 'text', 'host of a URL', template(host)],
  [
    'url_extract_port',
    'text',
    'integer',
    'port of a URL, NULL when it has none',
    template(`CAST(${part(`${AUTHORITY}[^/?#:]*:([0-9]+)`)} AS integer)`),
  ],
  ['url_extract_path', 'text', 'text', 'path of a URL', template(path)],
  [
    'url_extract_query',
    'text',
    'text',
    'query of a URL, without its question mark',
    template(query),
  ],
  ['url_extract_fragment', 'text', 'text', 'fragment of a URL', template(fragment)],
  [
    'url_extract_parameter',
    'text, text',
    'text',
    "decoded value of a parameter in a URL's query",
    template(
      `url_decode_param(substring(${query} from '(?:^|&)' || regexp_replace($2, '([^A-Za-z0-9_])', '\\\\\\1', 'g') || '=([^&]*)'))`,
    ),
  ],
  [
    'parse_url',
    'text, text [, text]',
    'text',
    'HOST, PATH, QUERY, REF, PROTOCOL, FILE or AUTHORITY of a URL; with a third argument the value of this parameter of QUERY',
    template(`CASE $2 WHEN 'HOST' THEN ${host} WHEN 'PATH' THEN ${path}
      WHEN 'QUERY' THEN CASE WHEN $3 IS NULL THEN ${query}
        ELSE substring(${query} from '(?:^|&)' || $3 || '=([^&]*)') END
      WHEN 'REF' THEN ${fragment} WHEN 'PROTOCOL' THEN ${protocol}
      WHEN 'FILE' THEN ${part('^[^:/?#]+://[^/?#]*([^#]*)')}
      WHEN 'AUTHORITY' THEN ${part('^[^:/?#]+://([^/?#]*)')} END`),
  ],
];
