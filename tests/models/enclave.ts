// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { launchEnclave } from '@mlcapsule/enclave-bridge/node'
import { challengeFor, createWorld, respond, type WorldModel } from '../transports/world.ts'

export type EnclaveEntry = 'worker' | 'process'

/** A model that answers inside an activated enclave. */
export interface EnclosedModel {
  /** Which kernels the enclave has. */
  readonly kernels: string
  /** @throws whatever the enclave says */
  run(inputs: readonly Tensor[]): Promise<ReadonlyMap<string, Tensor>>
  close(): Promise<void>
}

export interface EncloseOptions {
  readonly entry: EnclaveEntry
  /** Folder of the built enclave. */
  readonly bundleDir: string
}

/** Packs a compiled model, starts an enclave of its own with the capsule, and activates it with a license. */
export async function enclose(
  model: WorldModel,
  { entry, bundleDir }: EncloseOptions,
): Promise<EnclosedModel> {
  const world = await createWorld({ model, change: { pageSizeBytes: 1024 * 1024 } })
  const stateDir = await mkdtemp(join(tmpdir(), 'mlcapsule-models-'))
  const handle = await launchEnclave({ entry, bundleDir, stateDir, capsule: await world.open() })
  const close = async () => {
    await handle.closed
    await rm(stateDir, { recursive: true, force: true })
  }
  try {
    const challenge = await challengeFor(world)
    const offer = await handle.beginActivation(challenge.token)
    await handle.finishActivation(
      await respond(world, challenge, offer, { units: 1_000_000, blockMax: 1000 }),
    )
  } catch (error) {
    handle.disconnect()
    await close()
    throw error
  }
  return {
    kernels: handle.info.kernels,
    run: async (inputs) => {
      const query = new Map(model.inputs.map(({ name }, i) => [name, inputs[i] as Tensor]))
      return (await handle.infer(query)).outputs
    },
    close: async () => {
      await handle.close()
      await close()
    },
  }
}
