// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile, readReference } from '@mlcapsule/attestation'
import { openTransparencyLog, type TransparencyLog } from '@mlcapsule/attestation/node'
import { encodeLogProof, type TreeHead } from '@mlcapsule/attestation/transparency'
import { cryptoReady, signingKeyPairFrom, toHex, wipe } from '@mlcapsule/crypto'
import { fields, formatCount } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { readTokenFile, writeWholeFile } from '../../files/files.ts'
import { readKeyFile } from '../../keys/key-file.ts'
import { ensureSigningKey } from '../../keys/keygen.ts'
import { storePaths } from '../../store/paths.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

async function withLog<Result>(
  storeDir: string,
  work: (log: TransparencyLog) => Promise<Result>,
): Promise<Result> {
  await cryptoReady()
  const paths = storePaths(storeDir)
  const key = signingKeyPairFrom(await readKeyFile(paths.privateKey('log'), 'log'))
  try {
    const log = await openTransparencyLog(paths.logDir, key)
    try {
      return await work(log)
    } finally {
      log.close()
    }
  } finally {
    wipe(key.privateKey)
  }
}

function describeHead(context: CliContext, head: TreeHead): string {
  const pairs = [
    ['entries', formatCount(head.count)],
    ['root', toHex(head.root)],
    ['signed at', new Date(head.signedAtMs).toISOString()],
    ['log', head.log],
  ] as const
  return fields(pairs, { indent: '  ', nameStyle: context.style.dim })
}

const headJson = ({ root, ...head }: TreeHead) => ({ ...head, root: toHex(root) })

export function addTransparency(context: CliContext, program: Command): void {
  const transparency = program
    .command('transparency')
    .description('the log of released measurements: nobody gets a special enclave unseen')
  addAppend(context, transparency)
  addProve(context, transparency)
  addHead(context, transparency)
}

function addAppend(context: CliContext, transparency: Command): void {
  addStoreCommand(context, transparency, {
    name: 'append <references...>',
    about: 'append reference values to the log; the first time, the key of the log is made',
    examples: ['transparency append release.jws'],
  }).action(async (files: readonly string[], options: StoreOptions) => {
    const tokens = await Promise.all(files.map(readTokenFile))
    // What is in the log stays there: only what is whole goes in.
    await Promise.all(tokens.map(readReference))
    await ensureSigningKey(options.store, 'log')
    const head = await withLog(options.store, (log) => log.append(tokens, Date.now()))
    const publicKeyFile = storePaths(options.store).publicKey('log')
    const text = `${context.style.green('appended')}; readers need ${publicKeyFile}\n\n${describeHead(context, head)}`
    printReport(context, options, { text, json: { head: headJson(head), publicKeyFile } })
  })
}

interface ProveOptions extends StoreOptions {
  readonly output: string
  readonly since?: string
  readonly force?: true
}

function addProve(context: CliContext, transparency: Command): void {
  addStoreCommand(context, transparency, {
    name: 'prove <reference>',
    about: 'write a proof that a reference value is in the log',
    examples: [
      'transparency prove release.jws -o proof.json',
      'transparency prove release.jws --since head.jws -o proof.json   # for a reader who has seen head.jws',
    ],
  })
    .requiredOption('-o, --output <file>', 'where to write it')
    .option(
      '--since <file>',
      'a head that the reader has seen: the proof also shows that nothing was taken out since',
    )
    .option('--force', 'replace a file that is there')
    .action(async (path: string, options: ProveOptions) => {
      const token = await readTokenFile(path)
      const known = options.since === undefined ? undefined : await readTokenFile(options.since)
      const { proof, head } = await withLog(options.store, async (log) => ({
        proof: await log.prove(token, known),
        head: log.head,
      }))
      await writeWholeFile(options.output, encodeLogProof(proof), { replace: options.force === true })
      const count = formatCount(head?.count ?? 0)
      const text = `${context.style.green('wrote')} ${options.output}: entry ${proof.index + 1} of ${count}`
      printReport(context, options, { text, json: { file: options.output, index: proof.index } })
    })
}

interface HeadOptions extends StoreOptions {
  readonly output?: string
}

function addHead(context: CliContext, transparency: Command): void {
  addStoreCommand(context, transparency, {
    name: 'head',
    about: 'show the newest head of the log, and write it for readers',
    examples: ['transparency head', 'transparency head -o head.jws'],
  })
    .option('-o, --output <file>', 'where to write it; what is there is replaced')
    .action(async (options: HeadOptions) => {
      const head = await withLog(options.store, async (log) => log.head)
      if (head !== null && options.output !== undefined) {
        await writeWholeFile(options.output, encodeTokenFile(head.token), { replace: true })
      }
      const text = head === null ? 'The log has no entries yet.' : describeHead(context, head)
      printReport(context, options, { text, json: { head: head === null ? null : headJson(head) } })
    })
}
