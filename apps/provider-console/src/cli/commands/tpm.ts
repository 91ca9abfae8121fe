// SPDX-License-Identifier: Apache-2.0
import type { EkRoot } from '@mlcapsule/attestation/tpm'
import { fields, printable } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError } from 'commander'
import { readSmallFile } from '../../files/files.ts'
import { pendingEnrollments } from '../../tpm/pending.ts'
import { tpmRoots } from '../../tpm/roots.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { addTpmIssue } from './tpm-issue.ts'
import { addTpmOffer, certificatesMaxSizeBytes } from './tpm-offer.ts'

export function addTpm(context: CliContext, program: Command): void {
  const tpm = program
    .command('tpm')
    .description('whose TPMs are trusted, and the enrollment of their attestation keys')
  addTrust(context, tpm)
  addRoots(context, tpm)
  addForget(context, tpm)
  addTpmOffer(context, tpm)
  addTpmIssue(context, tpm)
  addList(context, tpm)
}

function describeRoots(context: CliContext, roots: readonly EkRoot[]): string {
  const described = roots.map(({ subject, spkiSha256, notAfterMs }) =>
    fields(
      [
        ['subject', printable(subject)],
        ['key', spkiSha256],
        ['until', new Date(notAfterMs).toISOString()],
      ],
      { indent: '  ', nameStyle: context.style.dim },
    ),
  )
  return described.join('\n\n')
}

const rootJson = ({ der: _der, ...shown }: EkRoot) => shown

function addTrust(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'trust <certificates...>',
    about:
      "take in roots of makers of TPMs, received from the makers; a policy's ekRoots names them by their keys",
    examples: ['tpm trust infineon-root.pem', 'tpm trust stm-root.der intel-root.der'],
  }).action(async (paths: readonly string[], options: StoreOptions) => {
    const files = await Promise.all(paths.map((it) => readSmallFile(it, certificatesMaxSizeBytes)))
    const roots = await tpmRoots(options.store).trust(files, Date.now())
    const note = 'Compare the keys with what the makers publish: whoever has such a key can make TPMs.'
    const text = `${context.style.green('trusted')}\n\n${describeRoots(context, roots)}\n\n${note}`
    printReport(context, options, { text, json: { roots: roots.map(rootJson) } })
  })
}

function addRoots(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'roots',
    about: 'list the roots that are trusted',
    examples: ['tpm roots', 'tpm roots --json'],
  }).action(async (options: StoreOptions) => {
    const roots = await tpmRoots(options.store).list()
    const text =
      roots.length === 0 ? 'No root of a maker of TPMs is trusted yet.' : describeRoots(context, roots)
    printReport(context, options, { text, json: { roots: roots.map(rootJson) } })
  })
}

function keyArgument(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new InvalidArgumentError('Expected the SHA-256 of a key in hex, as `tpm roots` shows it.')
}

function addForget(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'forget',
    about: 'take a root out: no key is enrolled by it any more, and credentials that rest on it are refused',
    examples: ['tpm forget 0b3c…'],
  })
    .argument('<key>', 'SHA-256 of its SubjectPublicKeyInfo', keyArgument)
    .action(async (key: string, options: StoreOptions) => {
      await tpmRoots(options.store).forget(key)
      const text = `${context.style.green('forgotten')} ${key}`
      printReport(context, options, { text, json: { forgotten: key } })
    })
}

function addList(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'list',
    about: 'show the enrollments that wait for their answer',
    examples: ['tpm list', 'tpm list --json'],
  }).action(async (options: StoreOptions) => {
    const nowMs = Date.now()
    const pending = (await pendingEnrollments(options.store).list()).map((it) => ({
      ...it,
      isExpired: nowMs > it.expiresAtMs,
    }))
    const described = pending.map(({ id, akName, ekRootSpkiSha256, expiresAtMs, isExpired }) =>
      fields(
        [
          ['enrollment', id],
          ['attestation key', akName],
          ['root', ekRootSpkiSha256],
          ['until', `${new Date(expiresAtMs).toISOString()}${isExpired ? ', which has passed' : ''}`],
        ],
        { indent: '  ', nameStyle: context.style.dim },
      ),
    )
    printReport(context, options, {
      text: pending.length === 0 ? 'No enrollment waits for its answer.' : described.join('\n\n'),
      json: { pending: pending.map(({ answerSha256: _hash, ...shown }) => shown) },
    })
  })
}
