// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import {
  type LaunchOptions,
  launchEnclave,
  nativeKernelsAddonPath,
  planLaunch,
  sharedMemoryAddonPath,
} from '@mlcapsule/enclave-bridge/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { challengeFor, createWorld, expectedAnswer, queryOf, respond, type World } from './world.ts'

const root = join(import.meta.dirname, '..', '..')
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-launch-'))
const bundleDir = join(home, 'enclave')
let world: World
beforeAll(async () => {
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', 'build/build.mjs', bundleDir], {
    cwd: join(root, 'enclave-runtime'),
    stdio: 'pipe',
  })
  world = await createWorld({ defenses: [{ name: 'rounding', version: 1, config: { decimals: 4 } }] })
}, 60_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

const code = (expected: string) => expect.objectContaining({ code: expected })

type Variant = Pick<LaunchOptions, 'entry' | 'kernels' | 'sharedMemory' | 'threadCount'>

async function launch(variant: Variant, stateDir: string, change: Partial<LaunchOptions> = {}) {
  return await launchEnclave({
    bundleDir,
    stateDir,
    capsule: await world.open(),
    ...variant,
    ...change,
  })
}

const variants: readonly {
  readonly name: string
  readonly variant: Variant
  readonly transport: string
  readonly missing?: string
}[] = [
  { name: 'worker', variant: { entry: 'worker', kernels: 'wasm' }, transport: 'message-port' },
  {
    name: 'worker, two threads',
    variant: { entry: 'worker', kernels: 'wasm', threadCount: 2 },
    transport: 'message-port',
  },
  {
    name: 'process, two wasm threads',
    variant: { entry: 'process', kernels: 'wasm', threadCount: 2, sharedMemory: false },
    transport: 'socket',
  },
  {
    name: 'process, through the socket',
    variant: { entry: 'process', kernels: 'wasm', sharedMemory: false },
    transport: 'socket',
  },
  {
    name: 'process, through shared memory',
    variant: { entry: 'process', kernels: 'wasm' },
    transport: 'shared-memory',
    ...(existsSync(sharedMemoryAddonPath()) ? {} : { missing: 'the shared-memory addon is not built here' }),
  },
  {
    name: 'process, with native kernels',
    variant: { entry: 'process', kernels: 'native', sharedMemory: false },
    transport: 'socket',
    ...(nativeKernelsAddonPath() !== undefined ? {} : { missing: 'the native kernels are not built here' }),
  },
]

describe.each(variants)('$name', ({ name, variant, transport, missing }) => {
  const stateDir = (use: string) => join(home, `${name.replaceAll(/[^a-z]+/g, '-')}-${use}`)
  const run = missing === undefined ? test : test.skip
  const titled = (title: string) => (missing === undefined ? title : `${title} (skipped: ${missing})`)

  run(titled('activates, answers, ends cleanly, and resumes'), async () => {
    const state = stateDir('whole')
    const handle = await launch(variant, state)
    expect(handle.info).toMatchObject({ entry: variant.entry, kernels: variant.kernels, transport })
    const challenge = await challengeFor(world)
    const active = await handle.finishActivation(
      await respond(world, challenge, await handle.beginActivation(challenge.token), { blockMax: 100 }),
    )
    expect(active.usage.unitsLeft).toBe(100)
    expect(active.isa.endsWith('-threads')).toBe(variant.threadCount === 2)
    for (const itemCount of [1, 2, 100]) {
      const query = queryOf(itemCount, itemCount)
      if (itemCount === 100) {
        await expect(handle.infer(query)).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
        continue
      }
      const answer = await handle.infer(query)
      const data = (answer.outputs.get('y') as Tensor).data as Float32Array
      for (const [at, value] of expectedAnswer(query).entries()) expect(data[at]).toBeCloseTo(value, 3)
    }
    expect(await handle.close()).not.toBeNull()
    await handle.closed
    expect(statSync(state).mode & 0o077).toBe(0)

    const again = await launch(variant, state)
    expect((await again.resume()).usage).toMatchObject({ unitsSpent: 3, unitsLeft: 97, uncleanCount: 0 })
    await again.infer(queryOf(9))
    await again.close()
    await again.closed
  })

  run(titled('is found dead by whoever waits, and the next one forfeits the open block'), async () => {
    const state = stateDir('crash')
    const handle = await launch(variant, state)
    const challenge = await challengeFor(world)
    const offer = await handle.beginActivation(challenge.token)
    await handle.finishActivation(await respond(world, challenge, offer))
    await handle.infer(queryOf(1))
    const waiting = handle.infer(queryOf(2))
    handle.disconnect()
    await expect(waiting).rejects.toThrow(code('BRIDGE_CLOSED'))
    await handle.closed

    const again = await launch(variant, state)
    expect((await again.resume()).usage).toMatchObject({ unitsSpent: 8, uncleanCount: 1 })
    await again.close()
    await again.closed
  })
})

/** Enough rows that the product is cut into tasks which wake threads. */
const manyItems = 2000

describe('two threads of the wasm kernels', () => {
  test.each(['worker', 'process'] as const)('answer as one does, bit for bit: %s', async (entry) => {
    const answers: Tensor[] = []
    for (const threadCount of [1, 2]) {
      const variant: Variant = { entry, kernels: 'wasm', threadCount }
      const handle = await launch(variant, join(home, `state-threads-${entry}-${threadCount}`))
      const challenge = await challengeFor(world)
      const offer = await handle.beginActivation(challenge.token)
      await handle.finishActivation(
        await respond(world, challenge, offer, { units: 10 * manyItems, blockMax: 4096 }),
      )
      for (let seed = 0; seed < 3; seed++) {
        const { outputs } = await handle.infer(queryOf(seed, manyItems))
        answers.push(outputs.get('y') as Tensor)
      }
      await handle.close()
      await handle.closed
    }
    expect(answers.slice(3)).toEqual(answers.slice(0, 3))
    expect(answers[0]?.shape[0]).toBe(manyItems)
  })

  test('are refused at the launch where there cannot be so many', async () => {
    const variant: Variant = { entry: 'worker', kernels: 'wasm', threadCount: 65 }
    const refused = launch(variant, join(home, 'state-threads-65'))
    await expect(refused).rejects.toThrow(code('KERNEL_OPTION_INVALID'))
  })
})

describe('a launch', () => {
  const process_: Variant = { entry: 'process', kernels: 'wasm' }

  test('refuses a bundle that was changed after its build, unless it is to be measured', async () => {
    const changed = join(home, 'changed')
    execFileSync('cp', ['-r', bundleDir, changed])
    const core = join(changed, 'enclave-core.mjs')
    writeFileSync(core, `${readFileSync(core, 'utf8')}\n// changed\n`)
    const refused = launch(process_, join(home, 'state-changed'), { bundleDir: changed })
    await expect(refused).rejects.toThrow(code('BRIDGE_BUNDLE_MISMATCH'))
    const measured = await launch(process_, join(home, 'state-changed'), {
      bundleDir: changed,
      bundleCheck: 'measure',
    })
    const genuine = await planLaunch({ entry: 'process', bundleDir, kernels: 'wasm' })
    expect(measured.info.manifestSha384).not.toBe(genuine.manifestSha384)
    measured.disconnect()
    await measured.closed
  })

  test('shows what it would run before it runs, and runs just that', async () => {
    const plan = await planLaunch({ entry: 'worker', bundleDir })
    const handle = await launch({ entry: 'worker' }, join(home, 'state-plan'))
    expect(handle.info.manifestSha384).toBe(plan.manifestSha384)
    expect(plan.manifest.components.map((it) => it.name)).toEqual([
      'enclave-core.mjs',
      'entry-worker.mjs',
      'kernel-thread.mjs',
      'node',
    ])
    handle.disconnect()
    await handle.closed
  })

  test('refuses a folder without a build, and one that another enclave uses', async () => {
    await expect(launch(process_, join(home, 'state-x'), { bundleDir: home })).rejects.toThrow(
      code('BRIDGE_BUNDLE_INVALID'),
    )
    const state = join(home, 'state-shared')
    const handle = await launch(process_, state)
    await expect(launch(process_, state)).rejects.toThrow(code('BRIDGE_STATE_UNUSABLE'))
    handle.disconnect()
    await handle.closed
  })

  test('starts what lies behind links', async () => {
    const [linkedDir, linkedKernels] = [join(home, 'linked'), join(home, 'kernels.node')]
    symlinkSync(bundleDir, linkedDir)
    const addon = nativeKernelsAddonPath()
    if (addon !== undefined) symlinkSync(addon, linkedKernels)
    for (const entry of ['process', 'worker'] as const) {
      const handle = await launch({ entry }, join(home, `state-linked-${entry}`), {
        bundleDir: linkedDir,
        ...(addon === undefined ? {} : { nativeKernelsPath: linkedKernels }),
      })
      expect(await handle.hello()).toMatchObject({ entry, state: 'loaded' })
      handle.disconnect()
      await handle.closed
    }
  })

  test('refuses native kernels that cannot be read', async () => {
    const refused = launch({ entry: 'process', kernels: 'native' }, join(home, 'state-folder'), {
      nativeKernelsPath: home,
    })
    await expect(refused).rejects.toMatchObject({ code: 'BRIDGE_BUNDLE_INVALID', field: 'native-kernels' })
  })

  test('refuses native kernels where there are none', async () => {
    for (const change of [
      { kernels: 'native' as const },
      { entry: 'worker' as const, kernels: 'native' as const },
    ]) {
      const refused = launch({ ...process_, ...change }, join(home, 'state-y'), {
        nativeKernelsPath: join(home, 'none'),
      })
      await expect(refused).rejects.toThrow(code('BRIDGE_OPTION_INVALID'))
    }
  })

  test('says that it failed where the entry does not start', async () => {
    const broken = join(home, 'broken')
    execFileSync('cp', ['-r', bundleDir, broken])
    writeFileSync(join(broken, 'entry-process.mjs'), 'process.exit(1)\n')
    writeFileSync(join(broken, 'entry-worker.mjs'), 'throw new Error("no")\n')
    for (const entry of ['process', 'worker'] as const) {
      const failed = launch({ entry }, join(home, 'state-broken'), {
        bundleDir: broken,
        bundleCheck: 'measure',
      })
      await expect(failed).rejects.toThrow(code('BRIDGE_LAUNCH_FAILED'))
    }
  })
})
