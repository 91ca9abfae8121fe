// SPDX-License-Identifier: Apache-2.0
import { attestationErrorTable } from '@mlcapsule/attestation'
import { capsuleErrorTable } from '@mlcapsule/capsule-format'
import { contractErrorTable, type ErrorTable, isMlCapsuleError } from '@mlcapsule/contracts'
import { cryptoErrorTable } from '@mlcapsule/crypto'
import { defenseErrorTable } from '@mlcapsule/defense-plugins'
import { kernelErrorTable } from '@mlcapsule/inference-kernels'
import { meteringErrorTable } from '@mlcapsule/metering'
import { BridgeError, bridgeErrorTable, EnclaveError } from '../errors.ts'
import { bridgeLimits } from './limits.ts'
import { errorFields } from './words.ts'

/** An error on its way through the door: no text, nothing that an input or the model could shape. */
export interface Failure {
  readonly code: string
  /** A name of `errorFields`, with an index where it is a list: `inputs`, `inputs[3]`, `inputs[3].shape`. */
  readonly field?: string
  readonly numbers?: readonly number[]
}

/** All codes that may cross. Both sides have the same list. */
const errorTable: ErrorTable = {
  ...contractErrorTable,
  ...cryptoErrorTable,
  ...kernelErrorTable,
  ...capsuleErrorTable,
  ...attestationErrorTable,
  ...meteringErrorTable,
  ...defenseErrorTable,
  ...bridgeErrorTable,
}

const fieldPattern = /^([a-zA-Z]+)(?:\[(\d{1,4})\])?(?:\.([a-zA-Z]+))?$/

/** Whether a path is made of known names alone. */
export function isKnownField(path: string): boolean {
  const match = fieldPattern.exec(path)
  if (match === null) return false
  const [, name, , member] = match
  return errorFields.has(name as string) && (member === undefined || errorFields.has(member))
}

export function isKnownErrorCode(code: string): boolean {
  return Object.hasOwn(errorTable, code)
}

function isSmallInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** What the host may learn of an error: its code, where the code is one of ours; everything else is `ENCLAVE_INTERNAL`. */
export function toFailure(error: unknown): Failure {
  if (!isMlCapsuleError(error) || !isKnownErrorCode(error.code)) return { code: 'ENCLAVE_INTERNAL' }
  const numbers = 'numbers' in error && Array.isArray(error.numbers) ? (error.numbers as number[]) : []
  const crossing = numbers.filter(isSmallInteger).slice(0, bridgeLimits.errorNumberMaxCount)
  return {
    code: error.code,
    ...(error.field !== undefined && isKnownField(error.field) ? { field: error.field } : {}),
    ...(crossing.length === 0 ? {} : { numbers: crossing }),
  }
}

/**
 * Puts a failure into words again.
 * @param cause what this side knows of the reason: the error of a host service that the enclave had called
 */
export function fromFailure(failure: Failure, cause?: unknown): EnclaveError {
  const info = errorTable[failure.code]
  if (info === undefined || (failure.field !== undefined && !isKnownField(failure.field))) {
    throw new BridgeError(
      'BRIDGE_PROTOCOL_VIOLATION',
      'the enclave answered with an unknown error code or field',
    )
  }
  const numbers = failure.numbers ?? []
  const place = failure.field === undefined ? '' : ` At: ${failure.field}.`
  const figures = numbers.length === 0 ? '' : ` Figures: ${numbers.join(', ')}.`
  return new EnclaveError(errorTable, failure.code, `${info.meaning}${place}${figures}`, {
    numbers,
    ...(failure.field === undefined ? {} : { field: failure.field }),
    cause,
  })
}
