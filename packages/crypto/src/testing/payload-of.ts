// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url } from '../encoding/text.ts'

/** The payload of a token, with no check at all: to be changed and signed anew. */
export function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? '')))
}
