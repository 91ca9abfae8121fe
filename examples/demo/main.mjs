#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The whole way of a model, with the real programs in processes of their own: the provider packs and sells it, the
// client runs it in an enclave, both check the receipts, and what must be refused is refused. It leaves nothing behind,
// and ends with 1 if any step comes out other than it should.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDuration } from '@mlcapsule/terminal'
import { keepLedgerCopies } from './ledger-copies.mjs'
import { readOptions, usage } from './options.mjs'
import { createPrograms, DemoError } from './programs.mjs'
import { showRefusals } from './refusals.mjs'
import { createScreen } from './screen.mjs'
import {
  activateModel,
  answerQueries,
  checkReceipts,
  orderQueries,
  packModel,
  startService,
} from './steps.mjs'

const enclaveDir = fileURLToPath(new URL('../../enclave-runtime/dist/', import.meta.url))

/** The signal that ended the demonstration early, if one did. */
let stoppedBy

async function demonstrate(options) {
  if (!existsSync(join(enclaveDir, 'manifest.json'))) {
    throw new DemoError('the enclave is not built: start this with `npm run demo`')
  }
  const startedAtMs = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-demo-'))
  const env = {
    ...process.env,
    MLCAPSULE_PROVIDER_STORE: 'provider',
    MLCAPSULE_STATE: join(folder, 'client'),
    MLCAPSULE_ENCLAVE: enclaveDir,
    // Some thirty processes start the same two programs.
    NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
  }
  const programs = createPrograms(folder, env)
  const screen = createScreen(process)
  const clean = async () => {
    await programs.endAll()
    if (!options.keep) await rm(folder, { recursive: true, force: true })
  }
  const onSignal = (signal) => {
    stoppedBy = signal
    void clean().finally(() => process.exit(128 + constants.signals[signal]))
  }
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const world = { ...options, programs, screen, folder, enclaveDir }
    screen.title(
      'MLCapsule: a model that answers on the client’s machine, and stays the provider’s',
      'Two programs, mlcapsule-provider and mlcapsule; every step below is a command that you can type yourself.',
    )
    const service = await startService(world)
    await packModel(world)
    await orderQueries(world)
    await activateModel(world, service)
    const ledger = await keepLedgerCopies(env.MLCAPSULE_STATE)
    await answerQueries(world)
    await checkReceipts(world, service)
    await showRefusals({ ...world, ledger }, service)
    await service.stop()
    const took = formatDuration(performance.now() - startedAtMs)
    screen.end(
      `${screen.style.green('All came out as it should')}, in ${took}.${options.keep ? ` Files: ${folder}` : ''}`,
    )
  } finally {
    await clean()
  }
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) process.stdout.write(usage)
  else await demonstrate(options)
} catch (error) {
  // Whatever fails after a signal fails because the programs were ended.
  if (stoppedBy === undefined)
    process.stderr.write(`\ndemo: ${error instanceof DemoError ? error.message : error.stack}\n`)
  process.exitCode = 1
}
