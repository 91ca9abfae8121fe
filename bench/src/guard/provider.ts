// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  makeKeys,
  packCapsule,
  parseDefense,
  serveProvider,
  storePaths,
  withCompiledModel,
} from '@mlcapsule/provider-console'
import { toOnnx } from '../forms/onnx.ts'
import { networkNamed, weightsStorageOf } from './networks.ts'

/** The defense that every capsule of the benchmark has. */
export const defense = 'rounding:decimals=4'

/** Where a provider can be reached, and what it has packed. */
export interface PackedBy {
  readonly url: string
  readonly storeDir: string
  readonly publisherKeyFile: string
  readonly authorityKeyFile: string
  /** Paths by the networks' names. */
  readonly capsules: Readonly<Record<string, string>>
}

/** A provider that packs networks and serves keys, until it is closed. Everything that it writes is in the folder. */
export async function startProvider(
  folder: string,
  names: readonly string[],
): Promise<PackedBy & { close(): Promise<void> }> {
  const storeDir = join(folder, 'store')
  await makeKeys(storeDir)
  const service = await serveProvider({ storeDir })
  const capsules: Record<string, string> = {}
  for (const name of names) {
    const modelPath = join(folder, `${name}.onnx`)
    const outPath = join(folder, `${name}.capsule`)
    await writeFile(modelPath, toOnnx(networkNamed(name)))
    await withCompiledModel(modelPath, { weights: weightsStorageOf(name) }, (model) =>
      packCapsule(service.provider, {
        model,
        outPath,
        storeDir,
        name,
        modelId: 'bench',
        version: 1,
        defenses: [parseDefense(defense)],
        minimumTier: 'simulated',
      }),
    )
    capsules[name] = outPath
  }
  const paths = storePaths(storeDir)
  return {
    url: service.url,
    storeDir,
    publisherKeyFile: paths.publicKey('publisher'),
    authorityKeyFile: paths.publicKey('authority'),
    capsules,
    close: () => service.close(),
  }
}
