// SPDX-License-Identifier: Apache-2.0
import { invalidField } from './fields.ts'

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A URL parser also takes spaces around, backslashes for slashes, and letters that only look like others. */
const plainUrl = /^https?:\/\/[!-[\]-~]+$/

/**
 * An absolute https URL; http only to this machine. No user name, password or fragment.
 * @throws CapsuleFormatError `CAPSULE_HEADER_INVALID`
 */
export function assertKeyReleaseUrl(text: string): void {
  const field = 'keyReleaseUrl'
  if (!plainUrl.test(text)) invalidField(field, 'expected an absolute URL in printable ASCII')
  let url: URL
  try {
    url = new URL(text)
  } catch {
    invalidField(field, 'expected an absolute URL')
  }
  const isLocal = url.protocol === 'http:' && loopbackHosts.has(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) invalidField(field, 'expected https, or http to this machine')
  if (url.username !== '' || url.password !== '' || text.includes('#')) {
    invalidField(field, 'a user name, a password or a fragment is not allowed')
  }
}
