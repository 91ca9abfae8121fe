// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { repository } from './shared.ts'

/** Node runs our packages from source under it. */
export const sourceCondition = '--conditions=@mlcapsule/source'

export type Program = 'mlcapsule' | 'mlcapsule-provider'

/** Where each program starts, in the source. */
export const programs: Readonly<Record<Program, string>> = {
  mlcapsule: join(repository, 'apps', 'client-runtime', 'src', 'cli', 'main.ts'),
  'mlcapsule-provider': join(repository, 'apps', 'provider-console', 'src', 'cli', 'main.ts'),
}

/** The two programs, for bash, under the names that they are installed with. */
export const bashFunctions: string = Object.entries(programs)
  .map(([name, main]) => `${name}() { '${process.execPath}' ${sourceCondition} '${main}' "$@"; }`)
  .join('\n')
