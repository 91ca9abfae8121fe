// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  domain,
  encodeCbor,
  fromHex,
  keyThumbprintBytes,
  signDetached,
  uint32Bytes,
} from '@mlcapsule/crypto'
import { encodeHeader } from '../../src/header/header.ts'
import { capsuleMagic } from '../../src/limits.ts'
import { publisher, seededBytes } from '../fixtures.ts'
import { assemble, assembleParts, attacker, coreMap, type Parts } from './build.ts'
import { refusedAtOpen, type Scenario } from './scenario.ts'

/** Ways to be wrong before the first page. Each is signed by the publisher unless the signature is the point. */
export function headerScenarios(parts: Parts): Scenario[] {
  const good = assembleParts(parts)
  const headerBytes = encodeHeader(parts.coreBytes, parts.commit, parts.root)
  const headerEnd = 12 + headerBytes.length
  const withHeader = (bytes: Uint8Array): Uint8Array => assemble(bytes, parts.pages)
  const withLength = (length: number): Uint8Array =>
    concatBytes(capsuleMagic, uint32Bytes(length), good.subarray(12))
  const edited = (from: number, to: number, hex: string, bytes: Uint8Array = good): Uint8Array =>
    concatBytes(bytes.subarray(0, from), fromHex(hex), bytes.subarray(to))
  const withCoreBytes = (core: Uint8Array): Uint8Array =>
    withHeader(encodeHeader(core, parts.commit, parts.root))
  const withCore = (key: number, value: unknown): Uint8Array =>
    withCoreBytes(encodeCbor(coreMap().set(key, value)))
  const lacking = (key: number): Uint8Array => {
    const map = coreMap()
    map.delete(key)
    return withCoreBytes(encodeCbor(map))
  }
  const refused = (name: string, clause: string, code: string, reason: string, bytes: Uint8Array): Scenario =>
    refusedAtOpen(name, clause, `CAPSULE_${code}`, reason, bytes)
  const invalid = (name: string, clause: string, reason: string, bytes: Uint8Array): Scenario =>
    refused(name, clause, 'HEADER_INVALID', reason, bytes)
  const malformed = (name: string, reason: string, bytes: Uint8Array): Scenario =>
    refused(name, '3', 'HEADER_MALFORMED', reason, bytes)
  const rebuilt = assembleParts(parts, attacker)
  const start = good.subarray(0, headerEnd)

  return [
    refused('bad-magic', '2', 'BAD_MAGIC', 'The second byte differs.', edited(1, 2, '6d')),
    refused(
      'text-mode-magic',
      '2',
      'BAD_MAGIC',
      'A transfer in text mode turned CR LF into LF.',
      edited(4, 6, '0a'),
    ),
    refused('empty', '2', 'TRUNCATED', 'There are no bytes at all.', good.subarray(0, 0)),
    refused(
      'cut-in-length',
      '2',
      'TRUNCATED',
      'The file ends within the header length.',
      good.subarray(0, 10),
    ),
    refused(
      'cut-in-header',
      '2',
      'TRUNCATED',
      'The file ends within the header.',
      good.subarray(0, headerEnd - 9),
    ),
    refused(
      'cut-in-signature',
      '2',
      'TRUNCATED',
      'The file ends within the signature.',
      good.subarray(0, headerEnd + 63),
    ),
    refused('cut-in-page', '2', 'TRUNCATED', 'The file ends one byte early.', good.subarray(0, -1)),
    refused('page-missing', '2', 'TRUNCATED', 'The last page is missing.', good.subarray(0, -4_112)),
    refused(
      'page-added',
      '2',
      'TRAILING_BYTES',
      'The last page is there twice.',
      concatBytes(good, good.subarray(-4_112)),
    ),
    refused(
      'byte-added',
      '2',
      'TRAILING_BYTES',
      'One byte follows the last page.',
      concatBytes(good, Uint8Array.of(0)),
    ),
    refused('header-length-zero', '2', 'HEADER_TOO_LARGE', 'The header length is zero.', withLength(0)),
    refused(
      'header-over-long',
      '2',
      'HEADER_TOO_LARGE',
      'The header length is one more than 1 MiB.',
      withLength(1_048_577),
    ),
    refused(
      'header-length-overflow',
      '2',
      'HEADER_TOO_LARGE',
      'The header length is 2^32 − 1.',
      withLength(0xffff_ffff),
    ),

    malformed(
      'header-not-shortest',
      'Key 1 is encoded in two bytes.',
      withHeader(edited(1, 2, '1801', headerBytes)),
    ),
    malformed(
      'header-duplicate-key',
      'Key 3 occurs twice.',
      withHeader(concatBytes(Uint8Array.of(0xa4), headerBytes.subarray(1), Uint8Array.of(3, 0))),
    ),
    malformed(
      'header-keys-out-of-order',
      'Key 2 comes before key 1.',
      withHeader(
        concatBytes(
          fromHex('a30258200000000000000000000000000000000000000000000000000000000000000000'),
          fromHex('0141000340'),
        ),
      ),
    ),
    malformed(
      'header-trailing-byte',
      'A zero follows the map within the header.',
      withHeader(concatBytes(headerBytes, Uint8Array.of(0))),
    ),
    malformed(
      'header-indefinite',
      'The map has an indefinite length.',
      withHeader(fromHex('bf0140024003 40ff'.replace(' ', ''))),
    ),
    malformed(
      'header-nested-too-deeply',
      'Forty arrays within one another.',
      withHeader(fromHex(`${'81'.repeat(40)}00`)),
    ),
    malformed(
      'header-huge-array',
      'An array announces 2^63 items.',
      withHeader(fromHex('9b8000000000000000')),
    ),
    malformed(
      'core-trailing-byte',
      'A zero follows the map within the core.',
      withCoreBytes(concatBytes(parts.coreBytes, Uint8Array.of(0))),
    ),
    malformed(
      'core-duplicate-key',
      'Key 16 occurs twice in the core.',
      withCoreBytes(concatBytes(Uint8Array.of(0xb1), parts.coreBytes.subarray(1), fromHex('10f6'))),
    ),
    malformed(
      'core-float',
      'The model version is the float 1.0.',
      withCoreBytes(coreWithRaw(parts.coreBytes)),
    ),
    malformed(
      'core-tag',
      'The core is a tagged map.',
      withCoreBytes(concatBytes(Uint8Array.of(0xc1), parts.coreBytes)),
    ),
    malformed(
      'core-invalid-utf8',
      'The model name is not UTF-8.',
      withCoreBytes(replaceName(parts.coreBytes)),
    ),

    invalid('header-not-a-map', '3.1', 'The header is an array.', withHeader(encodeCbor([1, 2, 3]))),
    invalid(
      'header-unknown-key',
      '3.1',
      'The header has a key 4.',
      withHeader(concatBytes(Uint8Array.of(0xa4), headerBytes.subarray(1), Uint8Array.of(4, 0))),
    ),
    invalid(
      'header-missing-key',
      '3.1',
      'The header has no root.',
      withHeader(
        encodeCbor(
          new Map([
            [1, parts.coreBytes],
            [2, parts.commit],
          ]),
        ),
      ),
    ),
    invalid(
      'header-core-not-bytes',
      '3.1',
      'The core is a map in place of a byte string.',
      withHeader(
        encodeCbor(
          new Map<number, unknown>([
            [1, coreMap()],
            [2, parts.commit],
            [3, parts.root],
          ]),
        ),
      ),
    ),
    invalid(
      'header-short-root',
      '3.1',
      'The root has 31 bytes.',
      withHeader(encodeHeader(parts.coreBytes, parts.commit, parts.root.subarray(1))),
    ),

    refused('version-unknown', '10', 'VERSION_UNSUPPORTED', 'The format version is 2.', withCore(1, 2)),
    refused(
      'version-unknown-other-fields',
      '10',
      'VERSION_UNSUPPORTED',
      'The format version is 2, and a field is there that version 1 does not know.',
      withCoreBytes(encodeCbor(coreMap().set(1, 2).set(17, 0))),
    ),
    refused('suite-unknown', '10', 'SUITE_UNSUPPORTED', 'The suite is 2.', withCore(2, 2)),
    invalid('core-unknown-key', '3.2', 'The core has a key 17.', withCore(17, 0)),
    invalid('core-missing-key', '3.2', 'The core has no key 10.', lacking(10)),
    invalid('core-no-version', '3.2', 'The core has no format version.', lacking(1)),
    invalid('capsule-id-short', '3.2', 'The capsule id has 31 bytes.', withCore(3, seededBytes('x', 31))),
    invalid('model-id-upper-case', '3.2', 'The model id has a capital letter.', withCore(4, 'Vector')),
    invalid('model-name-empty', '3.2', 'The model name is empty.', withCore(5, '')),
    invalid('model-name-too-long', '3.2', 'The model name has 257 bytes.', withCore(5, 'n'.repeat(257))),
    invalid(
      'model-name-control',
      '3.2',
      'The model name holds an escape character.',
      withCore(5, 'a\u001b[2Jb'),
    ),
    invalid(
      'model-name-direction',
      '3.2',
      'The model name turns the direction of text.',
      withCore(5, 'a\u202eb'),
    ),
    invalid('model-version-zero', '3.2', 'The model version is 0.', withCore(6, 0)),
    invalid('model-version-large', '3.2', 'The model version is 2^64 − 1.', withCore(6, 2n ** 64n - 1n)),
    invalid('no-inputs', '3.3', 'There is no input.', withCore(7, [])),
    invalid(
      'input-twice',
      '3.3',
      'Two inputs have one name.',
      withCore(7, [
        ['x', 0, []],
        ['x', 0, []],
      ]),
    ),
    invalid('dtype-unknown', '3.3', 'The dtype is 12.', withCore(7, [['x', 12, []]])),
    invalid('dimension-zero', '3.3', 'A dimension is 0.', withCore(7, [['x', 0, [0]]])),
    invalid('dimension-large', '3.3', 'A dimension is 2^31.', withCore(7, [['x', 0, [2 ** 31]]])),
    invalid(
      'rank-nine',
      '3.3',
      'A tensor has nine dimensions.',
      withCore(8, [['y', 0, [1, 1, 1, 1, 1, 1, 1, 1, 1]]]),
    ),
    invalid(
      'preprocessing-channels',
      '3.4',
      'Gray images have means for three channels.',
      withCore(9, preprocessing(2, [0, 0, 0], [1, 1, 1])),
    ),
    invalid(
      'preprocessing-zero-std',
      '3.4',
      'A standard deviation is 0.',
      withCore(9, preprocessing(0, [0, 0, 0], [1, 0, 1])),
    ),
    invalid('labels-empty', '3.2', 'The list of labels is empty; null means none.', withCore(10, [])),
    invalid(
      'labels-too-many',
      '3.2',
      'There are three labels; the first output has two classes.',
      withCore(10, ['a', 'b', 'c']),
    ),
    invalid('authority-empty', '3.2', 'No key may sign licenses.', withCore(12, [])),
    invalid(
      'authority-twice',
      '3.2',
      'One authority is listed twice.',
      withCore(12, [parts.root, parts.root]),
    ),
    invalid(
      'authority-nine',
      '3.2',
      'There are nine authorities.',
      withCore(
        12,
        Array.from({ length: 9 }, (_, i) => seededBytes(`vectors/authority/${i}`, 32)),
      ),
    ),
    invalid(
      'authority-is-publisher',
      '3.2',
      "The publisher's key is an authority.",
      withCore(12, [keyThumbprintBytes(publisher.publicKey)]),
    ),
    invalid('page-size-odd', '3.5', 'The page size is not a power of two.', withCore(13, 6_144)),
    invalid('page-size-small', '3.5', 'The page size is 2 KiB.', withCore(13, 2_048)),
    invalid('page-size-large', '3.5', 'The page size is 8 MiB.', withCore(13, 8_388_608)),
    invalid(
      'page-count-wrong',
      '3.5',
      'Page count and padded size contradict each other.',
      withCore(14, [
        [16, 65_536],
        [4, 12_288],
      ]),
    ),
    invalid(
      'page-count-zero',
      '3.5',
      'The weights have no page.',
      withCore(14, [
        [16, 65_536],
        [0, 0],
      ]),
    ),
    invalid(
      'page-count-overflow',
      '3.5',
      'Page count × page size exceeds 64 bits.',
      withCore(14, [
        [16, 65_536],
        [2n ** 63n, 2n ** 63n],
      ]),
    ),
    invalid(
      'program-not-power-of-two',
      '3.5',
      'The padded program has 20 pages.',
      withCore(14, [
        [20, 81_920],
        [3, 12_288],
      ]),
    ),
    invalid(
      'program-small',
      '3.5',
      'The padded program has 32 KiB.',
      withCore(14, [
        [8, 32_768],
        [3, 12_288],
      ]),
    ),
    invalid(
      'weights-too-large',
      '3.5',
      'The padded weights exceed 1 TiB.',
      withCore(14, [
        [16, 65_536],
        [2 ** 28 + 1, 2 ** 40 + 4_096],
      ]),
    ),
    invalid('tier-unknown', '3.2', 'The tier is 7.', withCore(15, 7)),
    invalid('url-http', '3.2', 'The URL is http to another machine.', withCore(16, 'http://example.com/')),
    invalid('url-script', '3.2', 'The URL is not of the web.', withCore(16, 'javascript:alert(1)')),
    invalid(
      'url-credentials',
      '3.2',
      'The URL holds a user name.',
      withCore(16, 'https://user@example.com/'),
    ),

    invalid('url-space', '3.2', 'A space comes before the URL.', withCore(16, ' https://example.com/')),
    invalid(
      'url-backslash',
      '3.2',
      'The URL has backslashes for slashes.',
      withCore(16, 'https:\\\\example.com/'),
    ),
    invalid('url-fragment', '3.2', 'The URL has a fragment.', withCore(16, 'https://example.com/#a')),

    refused(
      'publisher-untrusted',
      '7',
      'PUBLISHER_UNTRUSTED',
      'The header names, and is signed by, a key that is not trusted.',
      assembleParts({ ...parts, coreBytes: encodeCbor(coreMap().set(11, attacker.publicKey)) }, attacker),
    ),
    refused(
      'signed-by-other-key',
      '7',
      'SIGNATURE_INVALID',
      'The header names the publisher, another key signed it.',
      rebuilt,
    ),
    refused(
      'signature-changed',
      '7',
      'SIGNATURE_INVALID',
      'One bit of the signature differs.',
      edited(headerEnd, headerEnd + 1, flipped(good[headerEnd] as number)),
    ),
    refused(
      'header-changed',
      '7',
      'SIGNATURE_INVALID',
      'The root in the header differs from what was signed.',
      edited(headerEnd - 1, headerEnd, flipped(good[headerEnd - 1] as number)),
    ),
    refused(
      'signature-without-domain',
      '7',
      'SIGNATURE_INVALID',
      'The signature lacks the domain.',
      concatBytes(start, signDetached(publisher.privateKey, start), ...parts.pages),
    ),
    refused(
      'signature-other-domain',
      '7',
      'SIGNATURE_INVALID',
      'The signature was made for another purpose.',
      concatBytes(
        start,
        signDetached(publisher.privateKey, concatBytes(domain('receipt'), start)),
        ...parts.pages,
      ),
    ),
  ]
}

function flipped(byte: number): string {
  return (byte ^ 1).toString(16).padStart(2, '0')
}

function preprocessing(
  colorOrder: number,
  mean: readonly number[],
  std: readonly number[],
): Map<number, unknown> {
  return new Map<number, unknown>([
    [1, 0],
    [2, 0],
    [3, colorOrder],
    [4, null],
    [5, null],
    [6, 1],
    [7, mean],
    [8, std],
  ])
}

/** 06 01 (model version 1) becomes 06 f9 3c 00. */
function coreWithRaw(core: Uint8Array): Uint8Array {
  return replaceOnce(core, '66566563746f720601', '66566563746f7206f93c00')
}

/** "Vector" becomes 56 ff 63 74 6f 72. */
function replaceName(core: Uint8Array): Uint8Array {
  return replaceOnce(core, '0566566563746f72', '056656ff63746f72')
}

function replaceOnce(bytes: Uint8Array, fromHexText: string, toHexText: string): Uint8Array {
  const text = Buffer.from(bytes).toString('hex')
  const at = text.indexOf(fromHexText)
  if (at % 2 !== 0 || text.includes(fromHexText, at + 1))
    throw new Error('the bytes to replace are not there once')
  return fromHex(text.replace(fromHexText, toHexText))
}
