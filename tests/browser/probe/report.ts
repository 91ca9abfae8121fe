// SPDX-License-Identifier: Apache-2.0
import { fromHex, Secret } from '@mlcapsule/crypto'
import type { Given } from './given.ts'
import { type Findings, probe } from './probe.ts'

export type Realm = 'page' | 'worker'

export interface Report {
  readonly findings?: Findings
  /** Where the probe failed. */
  readonly failure?: string
  /** What went against the content security policy: of the packages, and of a deliberate `eval` after them. */
  readonly violations: { readonly byPackages: readonly string[]; readonly byEval: readonly string[] }
  readonly hasDocument: boolean
}

/** Shows that the policy is in force, and that violations of it are seen. */
function tryEval(): void {
  try {
    // biome-ignore lint/security/noGlobalEval: to see that the policy forbids it
    globalThis.eval('1')
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
  }
}

/** Violations are told in tasks of their own. */
const violationsTold = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))

/** Runs the probe in this realm of the browser, and sends the server what it found. */
export async function report(realm: Realm): Promise<void> {
  const violations: string[] = []
  globalThis.addEventListener('securitypolicyviolation', (event) => {
    violations.push(`${event.effectiveDirective} ${event.blockedURI}`)
  })
  let outcome: Pick<Report, 'findings' | 'failure'>
  try {
    const given = (await (await fetch('/given.json')).json()) as Given
    outcome = { findings: await probe(given) }
    console.log(Secret.fromBytes('page-key', fromHex(given.crypto.pageKey)))
  } catch (error) {
    outcome = { failure: error instanceof Error ? `${error.stack}` : String(error) }
  }
  await violationsTold()
  const byPackages = violations.splice(0)
  tryEval()
  await violationsTold()
  const body: Report = {
    ...outcome,
    violations: { byPackages, byEval: violations },
    hasDocument: 'document' in globalThis,
  }
  await fetch(`/reports/${realm}`, { method: 'POST', body: JSON.stringify(body) })
}
