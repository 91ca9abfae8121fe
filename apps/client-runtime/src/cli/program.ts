// SPDX-License-Identifier: Apache-2.0
import type { CliProgram } from '@mlcapsule/terminal/cli'
import { ClientError } from '../errors.ts'
import { addActivate } from './commands/activate.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGenerate } from './commands/generate.ts'
import { addInspect } from './commands/inspect.ts'
import { addKey } from './commands/key.ts'
import { addMeasure } from './commands/measure.ts'
import { addMeasurement } from './commands/measurement.ts'
import { addRun } from './commands/run.ts'
import { addStatements } from './commands/statements.ts'
import { addTpm } from './commands/tpm.ts'
import { addTrust } from './commands/trust.ts'
import { addUsage } from './commands/usage.ts'
import { addVerifyReceipts } from './commands/verify-receipts.ts'

export const program: CliProgram = {
  name: 'mlcapsule',
  about: 'Runs capsules: models of a provider that answer on this machine, inside an enclave.',
  commands: [
    addKey,
    addTrust,
    addInspect,
    addActivate,
    addRun,
    addGenerate,
    addUsage,
    addVerifyReceipts,
    addStatements,
    addMeasure,
    addMeasurement,
    addTpm,
    addDoctor,
  ],
  invalid: (detail) => new ClientError('CLIENT_ARGUMENT_INVALID', detail, { field: 'arguments' }),
  unwritable: (detail, cause) =>
    new ClientError('CLIENT_FILE_NOT_WRITTEN', detail, { field: 'stdout', cause }),
}
