// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { headerToJson } from '@mlcapsule/capsule-format'
import type { IsolationTier } from '@mlcapsule/contracts'
import { leastMemoryBudget, type StateOption, type WeightsStorage } from '@mlcapsule/model-graph'
import { fields, formatBytes, formatDuration, progressBar } from '@mlcapsule/terminal'
import { type CliContext, collect, integerOption, printReport } from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { ProviderError } from '../../errors.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import { measureAccuracy, measureRandomAccuracy } from '../../pack/accuracy.ts'
import { readCalibration } from '../../pack/calibration.ts'
import { withCompiledModel } from '../../pack/compile-model.ts'
import { assertDefensible, builtInDefenses, parseDefense } from '../../pack/defenses.ts'
import { readLabels } from '../../pack/labels.ts'
import { type PackedCapsule, type PackOptions, packCapsule } from '../../pack/pack-capsule.ts'
import { preprocessingPresets, readPreprocessing } from '../../pack/preprocessing.ts'
import { withProvider } from '../../service/with-provider.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { accuracyPairs, headerPairs, summaryPairs } from '../describe.ts'
import { parseStates } from '../parse-states.ts'
import { collectSizes } from '../sizes.ts'

const tiers = [
  'simulated',
  'process',
  'sgx',
  'tdx',
  'sev-snp',
  'nitro',
] as const satisfies readonly IsolationTier[]

interface PackCommandOptions extends StoreOptions {
  readonly output: string
  readonly name?: string
  readonly version: number
  readonly modelId?: string
  readonly publisher?: string
  readonly authority?: readonly string[]
  readonly defense?: readonly string[]
  readonly labels?: string
  readonly preprocess?: string
  readonly minTier: IsolationTier
  readonly keyReleaseUrl?: string
  readonly dimension?: Readonly<Record<string, number>>
  readonly state: StateOption
  readonly weights: WeightsStorage
  readonly calibration?: string
  readonly force?: true
}

const weightsStorages = ['f32', 'f16', 'int8'] as const satisfies readonly WeightsStorage[]

function choicesHelp(): string {
  const presets = Object.entries(preprocessingPresets).map(
    ([name, { about }]) => `  ${name.padEnd(14)}${about}`,
  )
  const defenses = builtInDefenses.map((it) => it.name).join(', ')
  return `\nPreprocessing presets:\n${presets.join('\n')}\n\nDefenses: ${defenses}; settings follow a colon, as in top-k:k=5,renormalize=true`
}

export function addPack(context: CliContext, program: Command): void {
  addStoreCommand(context, program, {
    name: 'pack <model>',
    about: 'compile a model of ONNX or TensorFlow.js and seal it into a capsule; its key goes into the store',
    examples: [
      'pack model.onnx -o model.capsule --name "Digits" --defense rounding:decimals=2',
      'pack vgg16.onnx -o vgg16.capsule --weights int8 --calibration samples.json',
      'pack tfjs/model.json -o doodles.capsule --name "Doodles" --dimension batch=1',
      'pack squeezenet.onnx -o squeezenet.capsule --preprocess caffe-bgr --labels imagenet-labels.txt \\\n      --defense top-k:k=5 --defense rounding:decimals=3',
    ],
  })
    .requiredOption('-o, --output <file>', 'the capsule to write')
    .option('--name <name>', "name that clients see (default: the file's)")
    .option('--version <number>', 'version of the model, a whole number', integerOption(1, 2_147_483_647), 1)
    .option('--model-id <id>', 'id that all versions share (default: made from the name)')
    .option('--publisher <file>', "private key that signs the capsule (default: the store's)")
    .option('--authority <file>', 'further public key that may sign licenses; repeatable', collect)
    .option(
      '--defense <name[:settings]>',
      'defense in the path of every answer; repeatable, in order',
      collect,
    )
    .option('--labels <file>', 'class names, one per line')
    .option('--preprocess <preset|file>', 'how an image becomes the input')
    .addOption(
      new Option('--min-tier <tier>', 'least isolation to run under').choices(tiers).default('simulated'),
    )
    .option('--key-release-url <url>', 'where clients may ask for the key')
    .option('--dimension <name=size>', 'size of a symbolic dimension; repeatable', collectSizes)
    .option(
      '--state <auto|none|in=out,…>',
      "inputs that take the outputs of the query before, kept in the enclave (auto: by the exporters' usual names)",
      parseStates,
      'auto',
    )
    .addOption(
      new Option('--weights <kind>', 'how weights are kept: f16 halves them, int8 quarters them')
        .choices(weightsStorages)
        .default('f32'),
    )
    .option(
      '--calibration <file>',
      'queries in JSON to compare smaller weights with float32 ones by (default: random ones)',
    )
    .option('--force', 'replace a capsule that is there')
    .addHelpText('after', choicesHelp())
    .action((modelPath: string, options: PackCommandOptions) => pack(context, modelPath, options))
}

async function pack(context: CliContext, modelPath: string, options: PackCommandOptions): Promise<void> {
  const startedAtMs = performance.now()
  // Optimizing the database's WebAssembly takes V8 half a gigabyte, and all that it runs here is one insert.
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--no-wasm-dynamic-tiering')
  const defenses = (options.defense ?? []).map((argument) => parseDefense(argument))
  const preprocessing = options.preprocess === undefined ? null : await readPreprocessing(options.preprocess)
  const furtherAuthorities = await Promise.all((options.authority ?? []).map(readPublicKey))
  if (options.calibration !== undefined && options.weights === 'f32') {
    const detail = '--calibration compares smaller weights: choose --weights f16 or int8'
    throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'calibration' })
  }
  const symbols = options.dimension === undefined ? {} : { symbols: options.dimension }
  const compiling = { ...symbols, states: options.state }
  await withCompiledModel(modelPath, { ...compiling, weights: options.weights }, async (model) => {
    if (defenses.length > 0) assertDefensible(model.outputs)
    const labels = options.labels === undefined ? null : await readLabels(options.labels, model.outputs[0])
    const accuracy =
      options.weights === 'f32'
        ? undefined
        : await withCompiledModel(modelPath, compiling, async (original) =>
            options.calibration === undefined
              ? await measureRandomAccuracy(model, original)
              : await measureAccuracy(
                  model,
                  original,
                  await readCalibration(options.calibration, model.inputs),
                ),
          )
    const packed = await whilePacking(context, (watch) =>
      withProvider({ storeDir: options.store }, (provider) =>
        packCapsule(provider, {
          model,
          outPath: options.output,
          overwrite: options.force === true,
          storeDir: options.store,
          ...(options.publisher === undefined ? {} : { publisherKeyFile: options.publisher }),
          furtherAuthorities,
          name: options.name ?? basename(modelPath).replace(/\.[^.]+$/, ''),
          version: options.version,
          ...(options.modelId === undefined ? {} : { modelId: options.modelId }),
          labels,
          preprocessing,
          defenses,
          minimumTier: options.minTier,
          keyReleaseUrl: options.keyReleaseUrl ?? null,
          ...watch,
        }),
      ),
    )
    const { style } = context
    const took = formatDuration(performance.now() - startedAtMs)
    const shownDefenses = (options.defense ?? []).join(', ') || 'none'
    const { pageSizeBytes } = packed.header.blobs.weights
    // Clients give a budget in MiB; a fraction of one is of no use to them.
    const leastBudgetSizeBytes =
      Math.ceil(leastMemoryBudget(model.program, pageSizeBytes) / 2 ** 20) * 2 ** 20
    const pairs = [
      ...headerPairs(packed.header, packed.sizeBytes),
      ['defenses', shownDefenses] as const,
      ...summaryPairs(model),
      ['least budget', `${formatBytes(leastBudgetSizeBytes)} (mlcapsule --budget)`] as const,
      ...(accuracy === undefined ? [] : accuracyPairs(accuracy)),
    ]
    printReport(context, options, {
      text: `${style.green('packed')} ${options.output} in ${took}\n\n${fields(pairs, { indent: '  ', nameStyle: style.dim })}`,
      json: {
        file: options.output,
        header: { ...headerToJson(packed.header), sizeBytes: packed.sizeBytes },
        defenses,
        summary: { ...model.summary, weightsSizeBytes: model.weights.sizeBytes, leastBudgetSizeBytes },
        ...(accuracy === undefined ? {} : { accuracy }),
      },
    })
  })
}

/** Shows how far the work has come, and lets a request to stop end it without leaving anything behind. */
async function whilePacking(
  { stderr, env, onStop }: CliContext,
  work: (watch: Required<Pick<PackOptions, 'onProgress' | 'signal'>>) => Promise<PackedCapsule>,
): Promise<PackedCapsule> {
  const stop = new AbortController()
  const forget = onStop(() => stop.abort())
  let bar: ReturnType<typeof progressBar> | undefined
  try {
    return await work({
      signal: stop.signal,
      onProgress({ doneBytes, totalBytes }) {
        bar ??= progressBar({ stream: stderr, env, label: 'sealing pages', total: totalBytes })
        bar.update(doneBytes)
      },
    })
  } finally {
    bar?.end()
    forget()
  }
}
