// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile } from '@mlcapsule/attestation'
import { decodeEnrollmentAnswer, enrollmentFileMaxSizeBytes } from '@mlcapsule/attestation/tpm'
import { fields } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { assertWritable, readSmallFile, writeWholeFile } from '../../files/files.ts'
import { issueCredential } from '../../tpm/enrollment.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

interface IssueOptions extends StoreOptions {
  readonly output: string
  readonly force?: true
}

export function addTpmIssue(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'issue <answer>',
    about:
      'check the answer of a TPM, and sign the credential of its attestation key; the offer is then used up',
    examples: ['tpm issue answer.json -o ak.jws'],
  })
    .requiredOption('-o, --output <file>', 'where to write the credential')
    .option('--force', 'replace a file that is there')
    .action(async (path: string, options: IssueOptions) => {
      const answer = decodeEnrollmentAnswer(await readSmallFile(path, enrollmentFileMaxSizeBytes))
      const { output } = options
      const replace = options.force === true
      // Nothing is used up for a credential that then could not be kept.
      await assertWritable(output, { replace })
      const { token, ...issued } = await issueCredential(options.store, answer, Date.now())
      await writeWholeFile(output, encodeTokenFile(token), { replace })
      const { akName, ekRootSpkiSha256, expiresAtMs } = issued
      const pairs = [
        ['attestation key', akName],
        ['root', ekRootSpkiSha256],
        ['until', new Date(expiresAtMs).toISOString()],
      ] as const
      const shown = fields(pairs, { indent: '  ', nameStyle: context.style.dim })
      printReport(context, options, {
        text: `${context.style.green('wrote')} ${output}\n\n${shown}`,
        json: { file: output, ...issued },
      })
    })
}
