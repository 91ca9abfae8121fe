// SPDX-License-Identifier: Apache-2.0
import { createRequest } from '@mlcapsule/attestation'
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import type { Tensor } from '@mlcapsule/contracts'
import type { SigningKeyPair } from '@mlcapsule/crypto'
import { launchEnclave } from '@mlcapsule/enclave-bridge/node'
import { encodeReceiptLine } from '@mlcapsule/metering'

interface Setup {
  readonly capsulePath: string
  /** Key of the publisher, received over a trusted way. */
  readonly publisher: Uint8Array
  readonly customer: SigningKeyPair
  /** The provider's service: gives a challenge, answers a request. */
  readonly provider: { challenge(): Promise<string>; activate(request: string): Promise<string> }
  readonly bundleDir: string
  readonly stateDir: string
  readonly keepLine: (line: string) => Promise<void>
}

export async function ask(setup: Setup, inputs: ReadonlyMap<string, Tensor>) {
  const source = await fileSource(setup.capsulePath)
  const capsule = await openCapsule(source, { publishers: [setup.publisher] })
  const enclave = await launchEnclave({
    entry: 'process',
    bundleDir: setup.bundleDir,
    stateDir: setup.stateDir,
    capsule,
    async onLog(entries) {
      for (const entry of entries) await setup.keepLine(encodeReceiptLine(entry))
    },
  })
  try {
    const challenge = await setup.provider.challenge()
    const offer = await enclave.beginActivation(challenge)
    const request = await createRequest({ customer: setup.customer, challenge, ...offer })
    await enclave.finishActivation(await setup.provider.activate(request))
    return await enclave.infer(inputs)
  } finally {
    await enclave.close()
    await capsule.close()
  }
}
