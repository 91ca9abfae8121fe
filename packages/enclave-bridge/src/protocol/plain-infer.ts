// SPDX-License-Identifier: Apache-2.0
import { dtypes } from '@mlcapsule/contracts'
import { bridgeLimits } from './limits.ts'
import { verdicts } from './words.ts'

// Messages of `infer` cross with each query. Looking at their members one by one takes far less code than a schema runs
// through, which counts where it is code that the compiler has not optimized yet. What is accepted here the schemas accept;
// what is not may still be right, and is for them to say.

type Members = Readonly<Record<string, unknown>>

const dtypeNames: ReadonlySet<unknown> = new Set(dtypes)
const verdictNames: ReadonlySet<unknown> = new Set(verdicts)

function isIntegerIn(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

const isCount = (value: unknown) => isIntegerIn(value, 0, Number.MAX_SAFE_INTEGER)

/** A plain object with so many members. */
function hasMembers(value: unknown, count: number): value is Members {
  if (typeof value !== 'object' || value === null) return false
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === count
}

function isList(value: unknown, maxCount: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= maxCount
}

function isDescriptor(value: unknown): boolean {
  if (!hasMembers(value, 3)) return false
  const { name, dtype, shape } = value
  if (typeof name !== 'string' || name.length < 1 || name.length > bridgeLimits.tensorNameMaxLength)
    return false
  if (!dtypeNames.has(dtype) || !isList(shape, bridgeLimits.tensorMaxRank)) return false
  for (let axis = 0; axis < shape.length; axis++) {
    if (!isIntegerIn(shape[axis], 0, bridgeLimits.dimensionMax)) return false
  }
  return true
}

function areDescriptors(value: unknown): boolean {
  if (!isList(value, bridgeLimits.tensorMaxCount)) return false
  for (let index = 0; index < value.length; index++) if (!isDescriptor(value[index])) return false
  return true
}

function isPosition(value: unknown): boolean {
  return hasMembers(value, 2) && isIntegerIn(value.id, 1, bridgeLimits.sequenceIdMax) && isCount(value.step)
}

/** Receipts alone: a closing comes with one query in a hundred. */
function areReceipts(value: unknown): boolean {
  if (!isList(value, bridgeLimits.logEntryMaxCount)) return false
  for (let index = 0; index < value.length; index++) {
    const receipt = value[index]
    if (!(receipt instanceof Uint8Array) || receipt.length > bridgeLimits.receiptMaxSizeBytes) return false
  }
  return true
}

/** Whether it is the body of an `infer` for sure. */
export function isPlainInferBody(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const { inputs, retryId, sequence } = body as Members
  return (
    hasMembers(body, 1 + (retryId === undefined ? 0 : 1) + (sequence === undefined ? 0 : 1)) &&
    areDescriptors(inputs) &&
    (retryId === undefined || (retryId instanceof Uint8Array && retryId.length === 16)) &&
    (sequence === undefined || isPosition(sequence))
  )
}

/** Whether it is the body of a reply to `infer` for sure. */
export function isPlainInferReply(body: unknown): boolean {
  return (
    hasMembers(body, 5) &&
    verdictNames.has(body.verdict) &&
    areDescriptors(body.outputs) &&
    isCount(body.units) &&
    isCount(body.unitsLeft) &&
    areReceipts(body.log)
  )
}

/** Whether it is a request for `infer`, or a reply to one, for sure. */
export function isPlainInferMessage(value: unknown, from: 'host' | 'enclave'): boolean {
  if (!hasMembers(value, from === 'host' ? 5 : 4) || value.op !== 'infer') return false
  if (!isIntegerIn(value.id, 1, 4_294_967_295)) return false
  if (from === 'enclave') return value.type === 'reply' && isPlainInferReply(value.body)
  return value.type === 'request' && isCount(value.nowMs) && isPlainInferBody(value.body)
}
