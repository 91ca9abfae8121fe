// SPDX-License-Identifier: Apache-2.0
import { parseManifest } from '@mlcapsule/attestation'
import { bundleMaxSizeBytes, decodeBundle } from '@mlcapsule/attestation/collateral'
import { collateralCache } from '@mlcapsule/attestation/node'
import type { Evidence } from '@mlcapsule/contracts'
import { type CliContext, collect, printReport } from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { checkPolicy, platformOf } from '../../attestation/check-policy.ts'
import { cachedCollateral, findPlatform } from '../../attestation/endorsements.ts'
import { readPolicyFile } from '../../attestation/policy-file.ts'
import { parsePolicyText, policyMaxSizeBytes } from '../../attestation/policy-text.ts'
import { platformsOf, verifiers } from '../../attestation/verifiers.ts'
import { readSmallFile, readTextFile, readTokenFile } from '../../files/files.ts'
import { storePaths } from '../../store/paths.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { describeCheck } from '../describe-check.ts'

/** Above what any platform takes, so that what is too large for one is refused by its verifier, with the reason. */
export const evidenceFileMaxSizeBytes = 65_536
const refusedExitCode = 1

interface CheckOptions extends StoreOptions {
  readonly platform?: string
  readonly reportData?: Uint8Array
  readonly manifest?: string
  readonly collateral?: string
  readonly reference?: readonly string[]
  readonly now?: number
  readonly nonceIssued?: number
}

function reportDataOption(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{128}$/.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  throw new InvalidArgumentError('Expected 64 bytes in hex.')
}

function timeOption(text: string): number {
  const timeMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (!Number.isNaN(timeMs)) return timeMs
  throw new InvalidArgumentError('Expected a time in UTC, e.g. 2026-01-15T12:00:00Z.')
}

/** Those of a bundle, else those of the store. */
async function collateralFor(evidence: Evidence, { collateral, store }: CheckOptions) {
  if (collateral !== undefined) return decodeBundle(await readSmallFile(collateral, bundleMaxSizeBytes))
  const platform = findPlatform(evidence.platform, platformsOf(store))
  return await cachedCollateral(evidence, platform, collateralCache(storePaths(store).collateralDir))
}

export function addPolicyCheck(context: CliContext, policyCommand: Command): void {
  addStoreCommand(context, policyCommand, {
    name: 'check <evidence> <policy>',
    about:
      'verify evidence and say, line by line, what a policy makes of it; exit code 1 unless it is accepted',
    examples: [
      'policy check quote.bin policy.yaml',
      'policy check quote.bin policy.yaml --report-data 00…00 --collateral bundle.json --reference release.jws',
      'policy check quote.bin policy.yaml --report-data 00…00 --platform tdx --now 2026-01-15T12:00:00Z --json',
    ],
  })
    .option(
      '--report-data <hex>',
      "what the evidence has to bind, 64 bytes: without it, it could be anyone's, and is not accepted",
      reportDataOption,
    )
    .addOption(
      new Option('--platform <name>', 'whose evidence it is (default: as its layout shows)').choices(
        verifiers.map((it) => it.name),
      ),
    )
    .option('--manifest <file>', 'manifest that the enclave shows')
    .option('--collateral <bundle>', 'what the vendors say (default: the collateral of the store)')
    .option('--reference <file>', 'reference value by a signer whom the policy names; repeatable', collect)
    .option('--now <time>', 'verify as of this time, in UTC (default: now)', timeOption)
    .option('--nonce-issued <time>', 'when the nonce was issued that the evidence binds, in UTC', timeOption)
    .action(async (path: string, policyPath: string, options: CheckOptions) => {
      const policy = await readPolicyFile(policyPath)
      const bytes = await readSmallFile(path, evidenceFileMaxSizeBytes)
      const platforms = platformsOf(options.store)
      const evidence = { platform: options.platform ?? platformOf(bytes, platforms), bytes }
      const { manifest, reference = [] } = options
      const report = await checkPolicy({
        evidence,
        policy,
        manifest:
          manifest === undefined
            ? null
            : parseManifest(parsePolicyText(await readTextFile(manifest, policyMaxSizeBytes), manifest)),
        collateral: await collateralFor(evidence, options),
        references: await Promise.all(reference.map(readTokenFile)),
        expectedReportData: options.reportData ?? null,
        nowMs: options.now ?? Date.now(),
        nonceIssuedAtMs: options.nonceIssued ?? null,
        // A time that is asked for is not the clock of this machine.
        newestSeenMs:
          options.now === undefined
            ? await collateralCache(storePaths(options.store).collateralDir).newestSeenMs()
            : 0,
        platforms,
      })
      printReport(context, options, { text: describeCheck(report, context.style), json: report })
      if (report.status !== 'accepted') process.exitCode = refusedExitCode
    })
}
