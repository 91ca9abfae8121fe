// SPDX-License-Identifier: Apache-2.0

/** What can be swapped. Say "enclave backend" or "kernel backend", never "backend" alone. */
export type PluginKind =
  | 'enclave-backend'
  | 'kernel-backend'
  | 'attester'
  | 'verifier'
  | 'model-importer'
  | 'defense'
  | 'anchor'
  | 'usage-sink'

/** What every plugin says of itself. Kind, name and version enter the enclave's measurement. */
export interface Plugin {
  readonly kind: PluginKind
  /** Lower-case words joined by hyphens, unique within the kind. */
  readonly name: string
  /** Positive integer, raised with every change of behavior. */
  readonly version: number
}
