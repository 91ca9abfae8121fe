// SPDX-License-Identifier: Apache-2.0
import {
  decodeEnrollmentRequest,
  encodeEnrollmentOffer,
  enrollmentFileMaxSizeBytes,
} from '@mlcapsule/attestation/tpm'
import { fields } from '@mlcapsule/terminal'
import { type CliContext, collect, integerOption, printReport } from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { ProviderError } from '../../errors.ts'
import { assertWritable, readSmallFile, writeWholeFile } from '../../files/files.ts'
import { offerEnrollment } from '../../tpm/enrollment.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

/** Of a file of certificates. */
export const certificatesMaxSizeBytes = 65_536
const revocationListMaxSizeBytes = 1_048_576

interface OfferOptions extends StoreOptions {
  readonly output: string
  readonly lifetimeDays: number
  readonly intermediate?: readonly string[]
  readonly crl?: readonly string[]
  readonly revocation?: 'unchecked'
  readonly force?: true
}

/** Whether certificates are revoked is never left open without a word. */
async function readRevocationLists({ crl, revocation }: OfferOptions) {
  if ((crl === undefined) === (revocation === undefined)) {
    const detail = 'give the lists of revoked certificates with --crl, or say --revocation unchecked'
    throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'revocation' })
  }
  if (crl === undefined) return 'unchecked'
  return await Promise.all(crl.map((it) => readSmallFile(it, revocationListMaxSizeBytes)))
}

export function addTpmOffer(context: CliContext, tpm: Command): void {
  addStoreCommand(context, tpm, {
    name: 'offer <request>',
    about:
      "check the endorsement key of a client's request, and seal a credential that only its TPM can open",
    examples: [
      'tpm offer request.json -o offer.json --crl root.crl --crl series.crl',
      'tpm offer request.json -o offer.json --intermediate series.der --revocation unchecked',
    ],
  })
    .requiredOption('-o, --output <file>', 'where to write the offer')
    .option('--lifetime-days <count>', 'how long the credential is to hold', integerOption(1, 3650), 365)
    .option(
      '--intermediate <file>',
      'an authority between endorsement key and root that the request does not bring; repeatable',
      collect,
    )
    .option(
      '--crl <file>',
      'list of revoked certificates in DER; one of each authority in the chain is needed; repeatable',
      collect,
    )
    .addOption(
      new Option('--revocation <how>', 'do without lists, where the maker publishes none').choices([
        'unchecked',
      ]),
    )
    .option('--force', 'replace a file that is there')
    .action(async (path: string, options: OfferOptions) => {
      const revocationLists = await readRevocationLists(options)
      const request = decodeEnrollmentRequest(await readSmallFile(path, enrollmentFileMaxSizeBytes))
      const { intermediate = [], lifetimeDays, output } = options
      const replace = options.force === true
      await assertWritable(output, { replace })
      const { offer, ekRootSpkiSha256 } = await offerEnrollment(options.store, {
        request,
        intermediates: await Promise.all(
          intermediate.map((it) => readSmallFile(it, certificatesMaxSizeBytes)),
        ),
        revocationLists,
        lifetimeDays,
        nowMs: Date.now(),
      })
      await writeWholeFile(output, encodeEnrollmentOffer(offer), { replace })
      const revocation = revocationLists === 'unchecked' ? 'unchecked' : 'checked'
      const pairs = [
        ['enrollment', offer.id],
        ['attestation key', offer.akName],
        ['root', ekRootSpkiSha256],
        ['revocation', revocation === 'checked' ? revocation : context.style.yellow(revocation)],
      ] as const
      const shown = fields(pairs, { indent: '  ', nameStyle: context.style.dim })
      printReport(context, options, {
        text: `${context.style.green('wrote')} ${output}; it is answered once, within seven days\n\n${shown}`,
        json: {
          file: output,
          id: offer.id,
          akName: offer.akName,
          ekRootSpkiSha256,
          revocation,
          lifetimeDays,
        },
      })
    })
}
