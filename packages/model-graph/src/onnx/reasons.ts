// SPDX-License-Identifier: Apache-2.0
import type { NodeProto } from './generated/onnx_pb.ts'
import { isStandardDomain } from './opsets.ts'

/** A domain's operator, to look it up by. */
export const functionKey = ({ domain, name }: { readonly domain: string; readonly name: string }): string =>
  `${isStandardDomain(domain) ? '' : domain} ${name}`

/** Whole families of standard operators that are not supported, and why. */
const families: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^(Loop|Scan|SequenceMap)$/, 'loops are not supported'],
  [/Sequence|^ConcatFromSequence$/, 'sequences of tensors are not supported'],
  [/^Optional/, 'optional values are not supported'],
  [/^String|^RegexFullMatch$|^TfIdfVectorizer$/, 'strings are not supported'],
  [/^Random|^Multinomial$|^Bernoulli$/, 'random numbers are not supported'],
]

/** Why a node cannot be imported whose operator is not known. */
export function reasonAgainst({ opType, domain }: NodeProto, functions: ReadonlySet<string>): string {
  if (functions.has(functionKey({ domain, name: opType }))) {
    return 'the operator is a function of this model, and functions are not supported'
  }
  if (!isStandardDomain(domain)) return 'operators of this domain are not supported'
  const family = families.find(([names]) => names.test(opType))
  return family?.[1] ?? 'the operator is not supported'
}
