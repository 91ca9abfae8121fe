// SPDX-License-Identifier: Apache-2.0
import { MlCapsuleError, type MlCapsuleErrorOptions } from './errors/error-base.ts'
import { defineErrorTable } from './errors/error-table.ts'

export const contractErrorTable = defineErrorTable({
  CONTRACT_PLUGIN_DUPLICATE: {
    kind: 'usage',
    meaning: 'Two plugins of the same kind and name were put into one registry.',
    remedy: 'Remove one of the two, or give the second plugin another name.',
  },
  CONTRACT_PLUGIN_UNKNOWN: {
    kind: 'usage',
    meaning: 'A plugin was asked for that the registry does not hold.',
    remedy: 'Add the plugin with use() before seal(), or choose one of the names that the message lists.',
  },
  CONTRACT_PLUGIN_INVALID: {
    kind: 'usage',
    meaning: 'A plugin lacks a valid kind, name or version.',
    remedy: 'Names are lower-case words joined by hyphens; versions are positive integers.',
  },
  CONTRACT_REGISTRY_SEALED: {
    kind: 'usage',
    meaning: 'A plugin was added to a registry that is already sealed.',
    remedy: 'Call use() on the builder before seal(), or build a new registry.',
  },
  CONTRACT_TENSOR_INVALID: {
    kind: 'input',
    meaning: "A tensor's data does not fit its dtype and shape.",
    remedy: 'Give the typed array that the dtype calls for, with as many elements as the shape has.',
  },
})

export type ContractErrorCode = keyof typeof contractErrorTable

/** Misuse of the registry, or a tensor that contradicts itself. */
export class ContractError extends MlCapsuleError<ContractErrorCode> {
  constructor(code: ContractErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(contractErrorTable, code, detail, options)
  }
}
