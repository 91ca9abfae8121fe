// SPDX-License-Identifier: Apache-2.0
import { headerToJson, openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { modelFormatOf, inspectModel as reportOn } from '@mlcapsule/model-graph'
import { fileModelSource } from '@mlcapsule/model-graph/node'
import { columnCount, fields, progressBar } from '@mlcapsule/terminal'
import {
  addCommand,
  type CliContext,
  type CommonOptions,
  collect,
  printReport,
} from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { ProviderError } from '../../errors.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import { headerPairs } from '../describe.ts'
import { describeInspection } from '../describe-inspection.ts'
import { collectSizes } from '../sizes.ts'

interface InspectOptions extends CommonOptions {
  readonly publisher?: readonly string[]
  readonly verify?: true
  readonly symbol?: Readonly<Record<string, number>>
}

export function addInspect(context: CliContext, program: Command): void {
  addCommand(program, {
    name: 'inspect <file>',
    about: 'show what is public of a capsule, or what a model consists of',
    examples: [
      'inspect model.capsule',
      'inspect model.capsule --publisher publisher.jwk --verify',
      'inspect model.onnx --symbol batch=1 --symbol length=128',
      'inspect model.json',
    ],
  })
    .option('--publisher <file|key>', "check that this publisher's key signed it; repeatable", collect)
    .option('--verify', 'read the whole capsule and check every page against the signed header')
    .option('--symbol <name=size>', "size of a model's symbolic dimension; repeatable", collectSizes)
    .action(async (path: string, options: InspectOptions) =>
      (await isModel(path)) ? inspectModel(context, path, options) : inspectCapsule(context, path, options),
    )
}

/** An option for the other kind of file would be passed over, and whoever asked for a check would take it for done. */
function refuse(options: InspectOptions, names: readonly (keyof InspectOptions)[], what: string): void {
  const given = names.find((name) => options[name] !== undefined)
  if (given === undefined) return
  throw new ProviderError('PROVIDER_OPTION_INVALID', `--${given} is for ${what}`, { field: given })
}

/** @throws CapsuleFormatError `CAPSULE_SOURCE_FAILED`; ModelError `MODEL_READ_FAILED` */
async function isModel(path: string): Promise<boolean> {
  const source = await fileSource(path)
  try {
    return (await modelFormatOf(source)) !== null
  } finally {
    await source.close?.()
  }
}

async function inspectCapsule(context: CliContext, path: string, options: InspectOptions): Promise<void> {
  const { style } = context
  refuse(options, ['symbol'], 'a model, the file is a capsule')
  const keys = await Promise.all((options.publisher ?? []).map(readPublicKey))
  const isPinned = keys.length > 0
  const source = await fileSource(path)
  try {
    const capsule = await openCapsule(source, { publishers: isPinned ? keys : 'any-unverified-publisher' })
    if (options.verify === true) await verifyPages(context, capsule)
    const pairs = [
      ...headerPairs(capsule.header, capsule.sizeBytes),
      [
        'signature',
        isPinned ? style.green('by the publisher given') : 'intact; by whom was not checked (--publisher)',
      ],
      ['pages', options.verify === true ? style.green('all intact') : 'not checked (--verify)'],
    ] as const
    printReport(context, options, {
      text: fields(pairs, { indent: '  ', nameStyle: style.dim }),
      json: {
        ...headerToJson(capsule.header),
        sizeBytes: capsule.sizeBytes,
        publisherChecked: isPinned,
        pagesChecked: options.verify === true,
      },
    })
  } finally {
    await source.close?.()
  }
}

async function verifyPages(
  { stderr, env }: CliContext,
  capsule: Awaited<ReturnType<typeof openCapsule>>,
): Promise<void> {
  const bar = progressBar({ stream: stderr, env, label: 'checking pages', total: capsule.sizeBytes })
  try {
    await capsule.verifyTree(({ doneBytes }) => bar.update(doneBytes))
  } finally {
    bar.end()
  }
}

async function inspectModel(context: CliContext, path: string, options: InspectOptions): Promise<void> {
  refuse(options, ['publisher', 'verify'], 'a capsule, the file is a model')
  const source = await fileModelSource(path)
  try {
    const inspection = await reportOn(source, { symbols: options.symbol ?? {} })
    const text = describeInspection(inspection, context.style, columnCount(context.stdout))
    printReport(context, options, { text, json: inspection })
  } finally {
    await source.close()
  }
}
