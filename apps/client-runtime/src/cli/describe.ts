// SPDX-License-Identifier: Apache-2.0
import type { CapsuleHeader } from '@mlcapsule/capsule-format'
import { toBase64Url, toHex } from '@mlcapsule/crypto'
import type { LaunchInfo, UsageReport } from '@mlcapsule/enclave-bridge'
import { fields, formatBytes, formatCount, formatItems, printable, type Styles } from '@mlcapsule/terminal'
import type { Activation } from '../sdk/activation.ts'
import { describe } from '../sdk/inputs.ts'

type Pairs = readonly (readonly [name: string, value: string])[]

/** Pairs as they stand under the line that says what happened. */
export function indented(style: Styles, pairs: Pairs): string {
  return fields(pairs, { indent: '  ', nameStyle: style.dim })
}

/** What anyone may see of a capsule. All of it comes from a file, and so is made printable. */
export function headerPairs(header: CapsuleHeader, sizeBytes: number): Pairs {
  const pageCount = header.blobs.program.pageCount + header.blobs.weights.pageCount
  return [
    ['model', `${printable(header.modelName)}, version ${header.modelVersion}`],
    ['capsule id', toBase64Url(header.capsuleId)],
    ...header.inputs.map((it) => ['input', printable(describe(it))] as const),
    ...header.outputs.map((it) => ['output', printable(describe(it))] as const),
    ['images', header.preprocessing === null ? 'not described' : 'prepared as the header says'],
    ['labels', header.labels === null ? 'none' : formatCount(header.labels.length)],
    ['minimum tier', header.minimumTier],
    ['size', `${formatBytes(sizeBytes)} in ${formatCount(pageCount)} pages`],
    ['publisher', header.publisher.thumbprint],
    ['authority', header.authority.join(', ')],
    ...(header.keyReleaseUrl === null ? [] : [['key release', printable(header.keyReleaseUrl)] as const]),
  ]
}

/** Said wherever a license is shown that rests on nothing but the enclave's own word. */
export const unattestedNote =
  'no hardware vouches for this enclave: whoever owns this machine could read the model'

export function activationPairs(activation: Activation, info: LaunchInfo): Pairs {
  return [
    ['queries left', `${formatCount(activation.unitsLeft)} of ${formatCount(activation.unitsGranted)}`],
    ['license until', new Date(activation.expiresAtMs).toISOString()],
    ['tier', activation.tier],
    ['enclave', `${info.entry}, ${info.kernels} kernels (${activation.isa})`],
    ['measurement', info.manifestSha384],
    ['memory', formatBytes(activation.memorySizeBytes)],
  ]
}

export function activationJson(activation: Activation, info: LaunchInfo) {
  const { license: _token, claims, ...rest } = activation
  const { entry, kernels, manifestSha384 } = info
  return { ...rest, defenses: claims.defenses, enclave: { entry, kernels, manifestSha384 } }
}

export function usagePairs(usage: UsageReport): Pairs {
  return [
    ['queries left', `${formatCount(usage.unitsLeft)} of ${formatCount(usage.grantUnits)}`],
    ['answered', formatCount(usage.queryCount)],
    ['charged', formatItems(usage.unitsSpent, 'unit')],
    ['unclean ends', formatCount(usage.uncleanCount)],
    ...(usage.strictUnits === 0
      ? []
      : [['strict mode', `${formatCount(usage.strictUnits)} more units are committed one by one`] as const]),
  ]
}

export function usageJson(usage: UsageReport) {
  const { ledgerId, licenseHash, head, ...rest } = usage
  return {
    ...rest,
    ledgerId: toBase64Url(ledgerId),
    licenseHash: toBase64Url(licenseHash),
    head: toHex(head),
  }
}
