// SPDX-License-Identifier: Apache-2.0
import { keyThumbprint, sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { memoryCapsuleSink, writeCapsule } from '../../src/index.ts'
import {
  authority,
  oddChunks,
  publisher,
  seededBytes,
  seededRandom,
  smallPageSizeBytes,
} from '../fixtures.ts'
import { assembleParts, buildParts, contentKeyBytes } from './build.ts'
import { headerScenarios } from './header-scenarios.ts'
import { goodReleased, otherParts, pageScenarios } from './page-scenarios.ts'
import { createPieceFinder } from './pieces.ts'
import type { Scenario } from './scenario.ts'

/** All files of vectors/capsule by relative path, the same bytes in every run. */
export async function generateVectors(): Promise<Map<string, Uint8Array>> {
  const parts = await buildParts()
  const other = await otherParts()
  const rich = await richCapsule()
  const bases = new Map([
    ['base.capsule', assembleParts(parts)],
    ['other.capsule', assembleParts(other)],
    ['rich.capsule', rich.bytes],
  ])
  const finder = createPieceFinder(bases)
  const scenarios: Scenario[] = [
    {
      name: 'good',
      clause: '2',
      reason: 'A capsule with the fewest fields.',
      bytes: assembleParts(parts),
      expected: { open: 'ok', tree: 'ok', key: 'ok', pages: 'ok', released: goodReleased(), program: 'ok' },
    },
    rich.scenario,
    ...headerScenarios(parts),
    ...(await pageScenarios(parts, other)),
  ]
  const files = new Map<string, Uint8Array>()
  for (const [name, bytes] of bases) files.set(`bases/${name}`, bytes)
  for (const { name, bytes, publishers, contentKey, ...rest } of scenarios) {
    if (files.has(`cases/${name}.json`)) throw new Error(`two scenarios are named ${name}`)
    const content = {
      ...rest,
      publishers: (publishers ?? [publisher.publicKey]).map(toHex),
      contentKey: toHex(contentKey ?? contentKeyBytes),
      sha256: toHex(sha256(bytes)),
      pieces: finder.describe(bytes),
    }
    files.set(`cases/${name}.json`, utf8Bytes(`${JSON.stringify(content, undefined, 2)}\n`))
  }
  return files
}

/** Made by the writer itself, with every optional field. */
async function richCapsule(): Promise<{ bytes: Uint8Array; scenario: Scenario }> {
  const sink = memoryCapsuleSink()
  const program = seededBytes('rich/program', 1_000)
  const weights = seededBytes('rich/weights', smallPageSizeBytes)
  await writeCapsule(sink, {
    core: {
      modelId: 'rich',
      modelName: 'Rich 数字',
      modelVersion: 7,
      inputs: [
        { name: 'image', dtype: 'uint8', shape: ['N', 3, 32, 32] },
        { name: 'scale', dtype: 'float64', shape: [] },
      ],
      outputs: [{ name: 'scores', dtype: 'float16', shape: ['N', 3] }],
      preprocessing: {
        kind: 'image',
        layout: 'NCHW',
        colorOrder: 'RGB',
        resizeShorterSide: 36,
        crop: { height: 32, width: 32 },
        scaleNano: 3_921_569,
        meanNano: [485_000_000, 456_000_000, 406_000_000],
        stdNano: [229_000_000, 224_000_000, 225_000_000],
      },
      labels: ['cat', 'Hund', '鳥'],
      minimumTier: 'nitro',
      keyReleaseUrl: 'https://provider.example/v1',
      authority: [keyThumbprint(authority.publicKey), keyThumbprint(seededBytes('second authority', 32))],
    },
    publisher,
    program,
    weights: { sizeBytes: weights.length, chunks: oddChunks(weights) },
    defenses: [
      { name: 'rounding', version: 1, config: { decimals: 3 } },
      { name: 'query-budget', version: 2, config: { share: 0.25, list: [1, 'a', null, true] } },
    ],
    answerPolicy: { labels: 'top-1' },
    pageSizeBytes: smallPageSizeBytes,
    random: seededRandom('rich/random'),
  })
  const bytes = sink.bytes()
  return {
    bytes,
    scenario: {
      name: 'good-rich',
      clause: '3',
      reason: 'A capsule with every optional field, made by the writer.',
      bytes,
      contentKey: seededBytes('rich/random/0', 32),
      expected: { open: 'ok', tree: 'ok', key: 'ok', pages: 'ok', program: 'ok' },
    },
  }
}
