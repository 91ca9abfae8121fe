// SPDX-License-Identifier: Apache-2.0
import type { CliProgram } from '@mlcapsule/terminal/cli'
import { ProviderError } from '../errors.ts'
import { addActivate } from './commands/activate.ts'
import { addChallenge } from './commands/challenge.ts'
import { addCollateral } from './commands/collateral.ts'
import { addInspect } from './commands/inspect.ts'
import { addKeygen } from './commands/keygen.ts'
import { addLicense } from './commands/license.ts'
import { addPack } from './commands/pack.ts'
import { addPolicy } from './commands/policy.ts'
import { addReceipts } from './commands/receipts.ts'
import { addReference } from './commands/reference.ts'
import { addServe } from './commands/serve.ts'
import { addStatements } from './commands/statements.ts'
import { addTpm } from './commands/tpm.ts'
import { addTransparency } from './commands/transparency.ts'

export const program: CliProgram = {
  name: 'mlcapsule-provider',
  about: "The provider's side of MLCapsule: pack models, take orders, hand out keys.",
  commands: [
    addKeygen,
    addPack,
    addInspect,
    addPolicy,
    addReference,
    addTransparency,
    addCollateral,
    addTpm,
    addLicense,
    addServe,
    addChallenge,
    addActivate,
    addReceipts,
    addStatements,
  ],
  invalid: (detail) => new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'arguments' }),
  unwritable: (detail, cause) =>
    new ProviderError('PROVIDER_FILE_UNREADABLE', detail, { field: 'stdout', cause }),
}
