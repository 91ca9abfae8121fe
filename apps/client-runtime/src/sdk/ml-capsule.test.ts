// SPDX-License-Identifier: Apache-2.0
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { createMachine, type Machine } from '../../test-support/model-enclave.ts'
import { createProvider, openWith, type Provider } from '../../test-support/world.ts'
import { ClientError, ServiceError } from '../errors.ts'
import type { ActivateOptions } from './ml-capsule.ts'
import type { Pixels } from './preprocess.ts'
import { type ServiceClient, serviceClient } from './service-client.ts'

const code = (code: string) => expect.objectContaining({ code })

let folder: string
let stateDir: string
let provider: Provider
beforeEach(async () => {
  folder = await temporaryFolder()
  stateDir = join(folder, 'state')
  provider = await createProvider(folder)
})

const gray = (value: number): Tensor => ({
  dtype: 'float32',
  shape: [1, 1, 2, 2],
  data: new Float32Array(4).fill(value),
})
const bright: Pixels = { width: 2, height: 2, channelCount: 1, data: new Uint8Array(4).fill(230) }

async function activated(machine = createMachine()) {
  const opened = await openWith(provider, stateDir, machine)
  await opened.model.activate({ service: provider.serviceFor(opened.model.customerKey) })
  return opened
}

describe('activation', () => {
  test('gets a license and keeps it', async () => {
    const { model } = await openWith(provider, stateDir)
    expect(await model.isActivated()).toBe(false)
    const activation = await model.activate({ service: provider.serviceFor(model.customerKey) })
    expect(activation).toMatchObject({ tier: 'none', unitsGranted: 20, unitsLeft: 20, isa: 'scalar' })
    expect(await model.isActivated()).toBe(true)
    await model.close()
  })

  test('once is enough; another is asked for by name', async () => {
    const { model } = await activated()
    const service = provider.serviceFor(model.customerKey)
    await expect(model.activate({ service })).rejects.toThrow(code('CLIENT_ALREADY_ACTIVATED'))
    await expect(model.activate({ service, again: true })).resolves.toMatchObject({ unitsLeft: 20 })
    await model.close()
  })

  test('by files survives the end of the process in between', async () => {
    const machine = createMachine()
    const first = await openWith(provider, stateDir, machine)
    const request = await first.model.requestActivation(await provider.challengeFor(first.model.customerKey))
    await first.model.close()
    const response = await provider.activate(request)
    const second = await openWith(provider, stateDir, machine)
    expect(await second.model.finishActivation(response)).toMatchObject({ unitsLeft: 20 })
    await second.model.close()
  })

  test('repeats a request whose answer was lost, and is granted once', async () => {
    const { model } = await openWith(provider, stateDir)
    const service = provider.serviceFor(model.customerKey)
    const requests: string[] = []
    const flaky = {
      ...service,
      async activate(request: string) {
        requests.push(request)
        const response = await service.activate(request)
        if (requests.length < 3) throw new ClientError('CLIENT_SERVICE_UNREACHABLE', 'lost on its way back')
        return response
      },
    }
    await expect(model.activate({ service: flaky })).resolves.toMatchObject({ unitsLeft: 20 })
    expect(new Set(requests).size).toBe(1)
    expect(requests.length).toBe(3)
    await model.close()
  })

  describe('that something cut off', () => {
    const unreachable = () =>
      Promise.reject(new ClientError('CLIENT_SERVICE_UNREACHABLE', 'lost on its way back'))
    const killed = new Error('killed')

    /** Activates with a service that dies with the process once it has granted. */
    async function cutOff(machine: Machine, options: ActivateOptions = {}) {
      const { model, records } = await openWith(provider, stateDir, machine)
      const service: ServiceClient = {
        ...provider.serviceFor(model.customerKey),
        async activate(request) {
          await provider.activate(request)
          throw killed
        },
      }
      await expect(model.activate({ service, ...options })).rejects.toThrow(killed)
      await model.close()
      return records
    }

    async function activateAgain(machine: Machine, options: ActivateOptions = {}) {
      const { model, records } = await openWith(provider, stateDir, machine)
      const activation = await model.activate({
        service: provider.serviceFor(model.customerKey),
        ...options,
      })
      expect(await records.waitingRequest()).toBeUndefined()
      expect(await records.currentLicense()).toBe(activation.license)
      await model.close()
      return activation
    }

    test('before the response came is taken up, and granted once', async () => {
      const machine = createMachine()
      await cutOff(machine)
      await cutOff(machine)
      expect(await activateAgain(machine)).toMatchObject({ unitsLeft: 20 })
      expect(provider.grantCount()).toBe(1)
    })

    test('before the license was kept is taken up, and granted once', async () => {
      const machine = createMachine()
      const { model, records } = await openWith(provider, stateDir, machine)
      records.keepLicense = () => Promise.reject(killed)
      const service = provider.serviceFor(model.customerKey)
      await expect(model.activate({ service })).rejects.toThrow(killed)
      await expect(model.activate({ service })).rejects.toThrow(killed)
      await model.close()
      expect(await activateAgain(machine)).toMatchObject({ unitsLeft: 20 })
      expect(provider.grantCount()).toBe(1)
    })

    test('by the network keeps its request, and by a refusal does not', async () => {
      const machine = createMachine()
      const { model, records } = await openWith(provider, stateDir, machine)
      const service = provider.serviceFor(model.customerKey)
      await expect(model.activate({ service: { ...service, activate: unreachable } })).rejects.toThrow(
        code('CLIENT_SERVICE_UNREACHABLE'),
      )
      expect(await records.waitingRequest()).toBeDefined()
      const refusal = { code: 'CHALLENGE_EXPIRED', message: 'late', remedy: 'ask anew', status: 403 }
      const refusing = () => Promise.reject(new ServiceError(refusal))
      await expect(model.activate({ service: { ...service, activate: refusing } })).rejects.toThrow(
        code('CHALLENGE_EXPIRED'),
      )
      expect(await records.waitingRequest()).toBeUndefined()
      await model.close()
    })

    test('and is not to be had any more gives way to a new one', async () => {
      const machine = createMachine()
      await cutOff(machine)
      machine.pending = undefined
      expect(await activateAgain(machine)).toMatchObject({ unitsLeft: 20 })
      expect(provider.grantCount()).toBe(2)
    })

    test('is not taken for that of another order', async () => {
      const machine = createMachine()
      await cutOff(machine)
      await activateAgain(machine, { order: 'order-2' })
      expect(provider.grantCount()).toBe(2)
    })

    test('in place of an earlier one is taken up too', async () => {
      const machine = createMachine()
      const { license } = await activateAgain(machine)
      await cutOff(machine, { again: true })
      const next = await activateAgain(machine, { again: true })
      expect(next).toMatchObject({ unitsLeft: 20 })
      expect(next.license).not.toBe(license)
      expect(provider.grantCount()).toBe(2)
    })

    test('is given up for one by files', async () => {
      const machine = createMachine()
      const records = await cutOff(machine)
      const { model } = await openWith(provider, stateDir, machine)
      await model.requestActivation(await provider.challengeFor(model.customerKey))
      expect(await records.waitingRequest()).toBeUndefined()
      await model.close()
    })
  })

  test('refuses challenges of others, for others and of another time', async () => {
    const { model } = await openWith(provider, stateDir)
    const other = await createProvider(await temporaryFolder())
    const foreign = await other.challengeFor(model.customerKey)
    await expect(model.requestActivation(foreign)).rejects.toThrow(code('CHALLENGE_SIGNER_UNKNOWN'))
    await expect(model.requestActivation('no token')).rejects.toThrow(code('JWS_MALFORMED'))
    await model.close()
  })

  test('stops at a service that is not there, and needs one', async () => {
    const { model } = await openWith(provider, stateDir)
    const silent = serviceClient('http://127.0.0.1:9')
    await expect(model.activate({ service: silent })).rejects.toThrow(code('CLIENT_SERVICE_UNREACHABLE'))
    await expect(model.activate()).rejects.toThrow(code('CLIENT_ARGUMENT_INVALID'))
    expect(await model.isActivated()).toBe(false)
    await model.close()
  })

  test('refuses a capsule whose pages were changed, before anything is asked for', async () => {
    const file = await open(provider.path, 'r+')
    const { size } = await file.stat()
    await file.write(Uint8Array.of(1, 2, 3), 0, 3, size - 2000)
    await file.close()
    const { model } = await openWith(provider, stateDir)
    let asked = 0
    const service = {
      ...provider.serviceFor(model.customerKey),
      requestChallenge: () => Promise.reject(new Error(`asked ${++asked}`)),
    }
    await expect(model.activate({ service })).rejects.toThrow(code('CAPSULE_TREE_MISMATCH'))
    expect(asked).toBe(0)
    await model.close()
  })
})

describe('queries', () => {
  test('answer tensors and images', async () => {
    const { model } = await activated()
    const { outputs, verdict, unitsLeft } = await model.run({ image: gray(0.25) })
    expect(outputs.get('scores')?.data).toEqual(Float32Array.of(0.75, 0.25))
    expect([verdict, unitsLeft]).toEqual(['pass', 19])
    const { classes } = await model.classify(bright, { top: 1 })
    expect(classes).toMatchObject([{ index: 1, label: 'bright' }])
    expect(classes[0]?.confidence).toBeCloseTo(230 / 255, 5)
    await model.close()
  })

  test('that do not fit are refused and not charged', async () => {
    const { model } = await activated()
    await expect(model.run({})).rejects.toThrow(code('CLIENT_INPUT_INVALID'))
    await expect(model.classify({ ...bright, width: 4, height: 1 })).rejects.toThrow(
      code('CLIENT_INPUT_INVALID'),
    )
    await expect(model.classify(Buffer.from('text'))).rejects.toThrow(code('CLIENT_IMAGE_INVALID'))
    expect(await model.usage()).toMatchObject({ unitsLeft: 20, queryCount: 0 })
    await model.close()
  })

  test('without an activation are refused', async () => {
    const { model } = await openWith(provider, stateDir)
    await expect(model.run({ image: gray(0) })).rejects.toThrow(code('CLIENT_NOT_ACTIVATED'))
    await model.close()
  })

  test('beyond the grant are refused, also after a restart', async () => {
    const { model, machine } = await activated()
    for (let i = 0; i < 20; i++) await model.run({ image: gray(0.5) })
    await expect(model.run({ image: gray(0.5) })).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
    await model.close()
    const next = await openWith(provider, stateDir, machine)
    await expect(next.model.run({ image: gray(0.5) })).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
    expect(await next.model.usage()).toMatchObject({ unitsLeft: 0, unitsSpent: 20, uncleanCount: 0 })
    await next.model.close()
  })

  test('that a defense blocks have no classes, are charged and have a receipt', async () => {
    const { model, enclave } = await activated()
    enclave.verdict = 'block'
    expect(await model.classify(bright)).toMatchObject({ verdict: 'block', classes: [], units: 1 })
    await model.close()
    const [license] = await model.verifyReceipts()
    expect(license?.chain).toMatchObject({ queryCount: 1, blockedCount: 1, units: 1 })
  })
})

describe('receipts and statements', () => {
  test('of several runs verify as one chain', async () => {
    const { model, machine } = await activated()
    for (let i = 0; i < 6; i++) await model.run({ image: gray(0.5) })
    await model.close()
    const next = await openWith(provider, stateDir, machine)
    for (let i = 0; i < 3; i++) await next.model.run({ image: gray(0.5) })
    await next.model.close()
    const [license, ...others] = await next.model.verifyReceipts()
    expect(others).toEqual([])
    expect(license?.chain).toMatchObject({ queryCount: 9, units: 9, lostBlockCount: 0, openReceiptCount: 0 })
    expect(license?.statements.map((it) => [it.seq, it.units])).toEqual([
      [1, 6],
      [2, 3],
    ])
  })

  test('a statement that is gone makes the next one disagree with the receipts', async () => {
    const { model, machine } = await activated()
    for (let i = 0; i < 6; i++) await model.run({ image: gray(0.5) })
    await model.close()
    const next = await openWith(provider, stateDir, machine)
    await next.model.run({ image: gray(0.5) })
    await next.model.close()
    const [kept] = await next.records.read()
    const folder = join(dirname(kept?.receiptsPath ?? ''), 'statements')
    const [first] = (await readdir(folder)).sort()
    await rm(join(folder, first as string))
    await expect(next.model.verifyReceipts()).rejects.toThrow(
      expect.objectContaining({ code: 'CLIENT_STATEMENT_DISAGREES', field: 'statement.units' }),
    )
  })

  test('after a crash, the lost block is in them', async () => {
    const { model, machine, enclave, records } = await activated()
    for (let i = 0; i < 6; i++) await model.run({ image: gray(0.5) })
    enclave.disconnect()
    await records.close()
    const next = await openWith(provider, stateDir, machine)
    await next.model.run({ image: gray(0.5) })
    await next.model.close()
    const [license] = await next.model.verifyReceipts()
    expect(license?.chain).toMatchObject({
      lostBlockCount: 1,
      lostUnits: 4,
      lostReceiptCount: 2,
      queryCount: 5,
    })
  })

  test('of two activations are kept apart', async () => {
    const { model } = await activated()
    await model.run({ image: gray(0.5) })
    await model.close()
    const second = await openWith(provider, stateDir)
    await second.model.activate({ service: provider.serviceFor(second.model.customerKey), again: true })
    await second.model.run({ image: gray(0.5) })
    await second.model.run({ image: gray(0.5) })
    await second.model.close()
    const licenses = await second.model.verifyReceipts()
    expect(licenses.map((it) => it.chain.queryCount).sort()).toEqual([1, 2])
  })

  test('that were changed, dropped or added do not verify', async () => {
    const { model, records } = await activated()
    for (let i = 0; i < 6; i++) await model.run({ image: gray(0.5) })
    await model.close()
    const [kept] = await records.read()
    const path = kept?.receiptsPath ?? ''
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const verifyWith = async (changed: readonly string[]) => {
      await writeFile(path, `${changed.join('\n')}\n`)
      return await model.verifyReceipts()
    }
    await expect(verifyWith(lines.toSpliced(1, 1))).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
    await expect(verifyWith(lines.toSpliced(1, 0, lines[1] as string))).rejects.toThrow(
      code('RECEIPT_CHAIN_BROKEN'),
    )
    await expect(verifyWith([lines[1] as string, lines[0] as string, ...lines.slice(2)])).rejects.toThrow(
      code('RECEIPT_CHAIN_BROKEN'),
    )
    await expect(verifyWith(lines.slice(0, 5))).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
    await expect(verifyWith(lines)).resolves.toHaveLength(1)
  })

  test('a statement is refused before it is due', async () => {
    const { model } = await activated()
    await model.run({ image: gray(0.5) })
    await expect(model.statement()).rejects.toThrow(code('LEDGER_STATEMENT_NOT_DUE'))
    await model.close()
  })

  test('a statement stays until it was sent, and then does not come back', async () => {
    const { model, records } = await activated()
    await model.run({ image: gray(0.5) })
    await model.close()
    const statements = async () => (await records.read())[0]?.statements ?? []
    const [first] = await statements()
    expect(first?.sent).toBe(false)
    await records.markSent(first?.token ?? '')
    await records.keepStatement(first?.token ?? '')
    expect(await statements()).toEqual([{ token: first?.token, sent: true }])
  })
})

test('closing twice does nothing more, also when nothing was done', async () => {
  const { model } = await openWith(provider, stateDir)
  await Promise.all([model.close(), model.close()])
  await model.close()
})
