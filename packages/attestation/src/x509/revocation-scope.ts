// SPDX-License-Identifier: Apache-2.0
import { readExtensionList } from './extensions.ts'
import { derTags, readTlvs, type TagLengthValue } from './tlv.ts'

const crlExtensionsTag = 0xa0
const utcTimeTag = 0x17
const generalizedTimeTag = 0x18

const isTime = ({ tag }: TagLengthValue) => tag === utcTimeTag || tag === generalizedTimeTag

/**
 * Refuses a list that does not speak of all certificates of its issuer, or of others' too: what narrows or widens a list
 * (delta lists, distribution points, indirect lists) is a critical extension of it or of an entry, and none is known here.
 * @param der of the whole list
 * @throws what `refuse` makes
 * @see RFC 5280 §5.1.2.6, §5.2, §5.3
 */
export function assertWholeScope(der: Uint8Array, refuse: (detail: string) => Error): void {
  const content = (value: TagLengthValue | undefined) => readTlvs(value?.value ?? new Uint8Array(0), refuse)
  const signed = content(content(readTlvs(der, refuse)[0])[0])
  const assertNone = (list: TagLengthValue | undefined, what: string) => {
    for (const [oid, { critical }] of readExtensionList(list, refuse)) {
      if (critical) throw refuse(`${what} has critical extension ${oid}`)
    }
  }
  assertNone(content(signed.find(({ tag }) => tag === crlExtensionsTag))[0], 'it')
  // What follows the times is the entries: the algorithm and the issuer, sequences too, come before them.
  const entries = signed.slice(signed.findIndex(isTime)).find(({ tag }) => tag === derTags.sequence)
  for (const entry of content(entries)) {
    const [, , extensions] = content(entry)
    if (extensions !== undefined) assertNone(extensions, 'an entry')
  }
}
