// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from './plugin.ts'

/** Where a client's signed usage statements go. All that a statement holds is in its fixed schema. */
export interface UsageSink extends Plugin {
  readonly kind: 'usage-sink'
  /** @param statement compact JWS of type `mlc-statement+jwt` */
  deliver(statement: string): Promise<void>
}
