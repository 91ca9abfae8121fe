// SPDX-License-Identifier: Apache-2.0
// Makes evidence in a process of its own, and prints what became of it: produce.ts PLATFORM OPTIONS REPORTDATA.
import type { Attester } from '@mlcapsule/contracts'
import { systemCode } from '@mlcapsule/contracts/node'
import { fromHex, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../../src/errors.ts'
import { nitroAttester } from '../../src/platforms/nitro/node/index.ts'
import { sevSnpAttester } from '../../src/platforms/sev-snp/node/index.ts'
import { tdxAttester } from '../../src/platforms/tdx/node/index.ts'

/** What the process prints, as JSON. */
export type Produced =
  | { readonly platform: string; readonly hex: string }
  /** With what the system called it, where it did. */
  | { readonly code: string; readonly systemCode: string }

const attesters: Readonly<Record<string, (options: object) => Attester>> = {
  nitro: nitroAttester,
  tdx: tdxAttester,
  'sev-snp': sevSnpAttester,
}

async function produce(platform: string, options: object, reportData: Uint8Array): Promise<Produced> {
  try {
    const attester = attesters[platform]
    if (attester === undefined) throw new Error(`there is no attester ${platform}`)
    const evidence = await attester(options).produce(reportData)
    return { platform: evidence.platform, hex: toHex(evidence.bytes) }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { code: error.code, systemCode: systemCode(error.cause) }
  }
}

const [platform = '', optionsJson = '{}', reportData = ''] = process.argv.slice(2)
const produced = await produce(platform, JSON.parse(optionsJson) as object, fromHex(reportData))
process.stdout.write(JSON.stringify(produced))
