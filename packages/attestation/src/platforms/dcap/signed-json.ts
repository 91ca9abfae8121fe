// SPDX-License-Identifier: Apache-2.0
import { fromHex, utf8Bytes } from '@mlcapsule/crypto'
import * as z from 'zod'
import { AttestationError } from '../../errors.ts'
import { parseWith } from '../../schema/parse.ts'
import { hexBytes } from './json-fields.ts'

/** Intel's longest table has some 20 KiB. */
const jsonMaxSizeBytes = 262_144
const maxDepth = 16

/** What Intel signed, as it was served. */
export interface SignedJson {
  readonly value: unknown
  /** The exact bytes of the member's object: what the signature is over. */
  readonly signedBytes: Uint8Array<ArrayBuffer>
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>
}

function invalid(what: string, detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_COLLATERAL_INVALID', `${what} ${detail}`, {
    field: 'collateral',
    cause,
  })
}

/**
 * Reads `{"<member>":{…},"signature":"…"}` and cuts the signed object out of the text: written anew, it could differ. A
 * member name that comes twice in any object is refused, since readers differ on which one counts.
 * @param what its name, for messages
 * @throws AttestationError `ATTESTATION_COLLATERAL_INVALID`
 * @see Intel Trusted Services API, v4, "Get TCB Info", "Get Quoting Enclave Identity"
 */
export function readSignedJson(bytes: Uint8Array, member: string, what: string): SignedJson {
  if (bytes.length > jsonMaxSizeBytes) {
    throw invalid(what, `has ${bytes.length} bytes, at most ${jsonMaxSizeBytes} are read`)
  }
  let text: string
  let body: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    body = JSON.parse(text)
  } catch (cause) {
    throw invalid(what, 'is not JSON in UTF-8', cause)
  }
  const schema = z.strictObject({ [member]: z.record(z.string(), z.unknown()), signature: hexBytes(64) })
  const checked = parseWith(schema, body, 'ATTESTATION_COLLATERAL_INVALID', what)
  const signedText = objectMember(text, member, what)
  return {
    // As parsed: a copy by the schema would lack a member that is called __proto__.
    value: (body as Readonly<Record<string, unknown>>)[member],
    signedBytes: utf8Bytes(signedText) as Uint8Array<ArrayBuffer>,
    signature: fromHex(checked.signature as string),
  }
}

interface OpenContainer {
  /** Names so far; null in an array. */
  readonly names: Set<string> | null
  expectsName: boolean
}

/** Walks over text that is known to be JSON, for what `JSON.parse` does not tell: names that come twice, and places. */
function objectMember(text: string, member: string, what: string): string {
  const open: OpenContainer[] = []
  let outermostName = ''
  let memberAt = 0
  let found = ''
  for (let at = 0; at < text.length; at++) {
    const top = open.at(-1)
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at)
        if (top?.expectsName === true) {
          const name = JSON.parse(text.slice(at, end)) as string
          if (top.names?.has(name)) throw invalid(what, 'has a name twice in one object')
          top.names?.add(name)
          top.expectsName = false
          if (open.length === 1) outermostName = name
        }
        at = end - 1
        break
      }
      case '{':
      case '[':
        if (open.length === maxDepth) throw invalid(what, `is nested deeper than ${maxDepth}`)
        if (open.length === 1 && outermostName === member) memberAt = at
        open.push(
          text[at] === '{' ? { names: new Set(), expectsName: true } : { names: null, expectsName: false },
        )
        break
      case '}':
      case ']':
        open.pop()
        if (open.length === 1 && outermostName === member) found = text.slice(memberAt, at + 1)
        break
      case ',':
        if (top !== undefined) top.expectsName = top.names !== null
        break
    }
  }
  return found
}

/** @returns index after the closing quote */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
