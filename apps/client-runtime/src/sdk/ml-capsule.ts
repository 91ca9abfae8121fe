// SPDX-License-Identifier: Apache-2.0
import { createRequest, verifyChallenge } from '@mlcapsule/attestation'
import type { Capsule, CapsuleHeader, VerifyProgress } from '@mlcapsule/capsule-format'
import { isMlCapsuleError, type Tensor } from '@mlcapsule/contracts'
import { keyThumbprint, type SigningKeyPair, toBase64Url, wipe } from '@mlcapsule/crypto'
import type {
  ActiveEnclave,
  CallOptions,
  EnclaveHandle,
  EnclaveSequence,
  Inference,
  InferOptions,
  LaunchInfo,
  UsageReport,
} from '@mlcapsule/enclave-bridge'
import { ClientError } from '../errors.ts'
import type { CapsuleRecords } from '../node/capsule-records.ts'
import { type Activation, activationOf, orderOfRequest } from './activation.ts'
import { assertClassifier, classesOf, type RankedClass } from './classes.ts'
import { type GeneratedToken, type GenerateOptions, generate } from './generate.ts'
import { type Inputs, matchInputs } from './inputs.ts'
import { type Pixels, pixelsToTensor } from './preprocess.ts'
import { type ServiceClient, serviceClient } from './service-client.ts'
import { type VerifiedRecords, verifyRecords } from './verify-records.ts'
import { vocabularyOf } from './vocabulary.ts'

type ImagePreprocessing = NonNullable<CapsuleHeader['preprocessing']>

/** What is used of an enclave's handle. */
export type EnclavePort = Pick<
  EnclaveHandle,
  | 'beginActivation'
  | 'close'
  | 'closed'
  | 'disconnect'
  | 'finishActivation'
  | 'infer'
  | 'info'
  | 'openSequence'
  | 'resume'
  | 'statement'
  | 'usage'
>

/** What an open capsule is made of; `MlCapsule.open` of the package puts it together. */
export interface MlCapsuleParts {
  readonly capsule: Capsule
  readonly enclave: EnclavePort
  readonly records: CapsuleRecords
  readonly customer: SigningKeyPair
  readonly readImage: (file: Uint8Array, preprocessing: ImagePreprocessing) => Promise<Pixels>
}

export interface ActivateOptions {
  /** Base URL of the provider's service, or a client of it; the header's key release URL when absent. */
  readonly service?: string | ServiceClient
  /** Name of the order, where the customer has several for this capsule. */
  readonly order?: string
  /** Gives up what is left of an earlier activation. */
  readonly again?: boolean
  /** Told how far the check of the capsule's pages has come. */
  readonly onVerify?: (progress: VerifyProgress) => void
}

/** The answer to an image. */
export interface Classification extends Inference {
  /** The best first; none where a defense blocked the query, or where the model gave more than one row of scores. */
  readonly classes: readonly RankedClass[]
}

/**
 * A capsule in a running enclave. Close it when done: an enclave that ends without loses its open block of paid queries.
 *
 * ```ts
 * await using model = await openMlCapsule({ capsule: 'model.capsule', publishers: ['publisher.jwk'] })
 * await model.activate({ service: 'https://models.example' }) // once
 * const { classes } = await model.classify(await readFile('photo.jpg'))
 * ```
 */
export class MlCapsule {
  readonly #parts: MlCapsuleParts
  #active: Promise<ActiveEnclave> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: MlCapsuleParts) {
    this.#parts = parts
  }

  /** What the publisher signed and everybody may read. */
  get header(): CapsuleHeader {
    return this.#parts.capsule.header
  }

  /** Size of the whole capsule. */
  get sizeBytes(): number {
    return this.#parts.capsule.sizeBytes
  }

  /** How the enclave was started, and its measurement. */
  get enclave(): LaunchInfo {
    return this.#parts.enclave.info
  }

  /** The public key by which providers know this client. */
  get customerKey(): Uint8Array {
    return this.#parts.customer.publicKey
  }

  /** Whether an activation is kept in the state directory. */
  async isActivated(): Promise<boolean> {
    return (await this.#parts.records.currentLicense()) !== undefined
  }

  /**
   * Checks the whole capsule, then asks the provider's service for a license and the key. Takes up what an earlier call
   * began and something cut off, unless that was for another order.
   * @throws ClientError `CLIENT_ALREADY_ACTIVATED`, `CLIENT_SERVICE_*`; ServiceError under the service's code;
   * CapsuleFormatError `CAPSULE_TREE_MISMATCH`; EnclaveError
   */
  async activate(options: ActivateOptions = {}): Promise<Activation> {
    await this.#assertMayActivate(options)
    const { capsule, enclave, customer, records } = this.#parts
    const service = this.#service(options.service)
    await capsule.verifyTree(options.onVerify)
    const finished = options.again === true ? undefined : await this.#resumeUnkept()
    const takenUp = finished ?? (await this.#takeUp(service, options.order))
    if (takenUp !== undefined) return takenUp
    const challenge = await service.requestChallenge({
      capsuleId: toBase64Url(this.header.capsuleId),
      customer: keyThumbprint(customer.publicKey),
      ...(options.order === undefined ? {} : { order: options.order }),
    })
    await this.#verifyChallenge(challenge)
    // Sealed key and kept request: with both, a later process can still open the response.
    const offer = await enclave.beginActivation(challenge, 'file')
    const request = await createRequest({ customer, challenge, ...offer })
    await records.keepRequest(request)
    try {
      return await this.#finish(await sendUntilAnswered(service, request))
    } catch (error) {
      if (isSettled(error)) await records.dropRequest()
      throw error
    }
  }

  /**
   * First half of an activation without a network: answers a challenge that the provider handed over as a file.
   * @returns the request, compact JWS, to be carried to the provider; the response may come days later
   */
  async requestActivation(challenge: string, options: ActivateOptions = {}): Promise<string> {
    await this.#assertMayActivate(options)
    await this.#parts.capsule.verifyTree(options.onVerify)
    await this.#verifyChallenge(challenge)
    const { enclave, customer, records } = this.#parts
    const offer = await enclave.beginActivation(challenge, 'file')
    // The enclave keeps the keys of one activation: a request that waited has lost its own.
    await records.dropRequest()
    return await createRequest({ customer, challenge, ...offer })
  }

  /** Second half: takes the provider's response, in this process or in a later one. */
  async finishActivation(response: string): Promise<Activation> {
    return await this.#finish(response)
  }

  /** Starts from the sealed state of an earlier run, unless that is done. Every query does it by itself. */
  async resume(): Promise<Activation> {
    return activationOf(await this.#ready())
  }

  /**
   * Asks the model.
   * @throws ClientError `CLIENT_INPUT_INVALID`, `CLIENT_NOT_ACTIVATED`; EnclaveError, such as `LICENSE_QUOTA_EXHAUSTED`
   */
  async run(inputs: Inputs, options?: InferOptions): Promise<Inference> {
    const matched = matchInputs(inputs, this.header.inputs)
    await this.#ready()
    return await this.#parts.enclave.infer(matched, options)
  }

  /**
   * Opens a sequence: `run(inputs, { sequence })` goes on from the query before it there. What the model keeps for it (a
   * decoder's cache, a recurrent layer's memory) stays in the enclave, and ends with it: a process that starts anew sends
   * its prompt again.
   * @throws ClientError `CLIENT_NOT_ACTIVATED`; EnclaveError `ENCLAVE_SEQUENCE_UNSUPPORTED`,
   * `ENCLAVE_SEQUENCE_LIMIT_EXCEEDED`
   */
  async openSequence(options?: CallOptions): Promise<EnclaveSequence> {
    await this.#ready()
    return await this.#parts.enclave.openSequence(options)
  }

  /**
   * Lets a model whose labels are characters write on from a prompt, token by token, each of them one query. Ends with the
   * count of tokens, or when it is left.
   *
   * ```ts
   * for await (const { text } of model.generate('the enclave ', { tokenCount: 80 })) process.stdout.write(text)
   * ```
   * @throws ClientError `CLIENT_MODEL_NOT_GENERATIVE`, `CLIENT_PROMPT_INVALID`, before anything is charged;
   * `CLIENT_QUERY_BLOCKED`; EnclaveError, such as `LICENSE_QUOTA_EXHAUSTED`
   */
  async *generate(
    prompt: string,
    options?: GenerateOptions,
  ): AsyncGenerator<GeneratedToken, void, undefined> {
    const vocabulary = vocabularyOf(this.header)
    await this.#ready()
    yield* generate(this.#parts.enclave, vocabulary, prompt, options)
  }

  /**
   * Prepares an image as the header says, asks the model, and ranks the classes.
   * @param image an encoded image (PNG, JPEG, …), or pixels of the model's size
   * @param options `top` is how many classes to return, 5 when absent
   * @throws ClientError `CLIENT_PREPROCESSING_MISSING`, `CLIENT_IMAGE_INVALID`, `CLIENT_OUTPUT_NOT_CLASSES` and as `run`
   */
  async classify(
    image: Uint8Array | Pixels,
    { top = 5, ...options }: InferOptions & { readonly top?: number } = {},
  ): Promise<Classification> {
    assertClassifier(this.header)
    const inference = await this.run(await this.imageTensor(image), options)
    return { ...inference, classes: classesOf(inference, this.header, top) ?? [] }
  }

  /** The input that an image becomes. */
  async imageTensor(image: Uint8Array | Pixels): Promise<Tensor> {
    const { preprocessing, inputs } = this.header
    const [spec] = inputs
    if (preprocessing === null || spec === undefined) {
      throw new ClientError(
        'CLIENT_PREPROCESSING_MISSING',
        'the header describes no preprocessing of images',
        {
          field: 'header.preprocessing',
        },
      )
    }
    const pixels = image instanceof Uint8Array ? await this.#parts.readImage(image, preprocessing) : image
    return pixelsToTensor(pixels, preprocessing, spec)
  }

  /** What has been used and what is left, as the enclave's ledger has it. */
  async usage(options?: CallOptions): Promise<UsageReport> {
    await this.#ready()
    return await this.#parts.enclave.usage(options)
  }

  /**
   * The next statement of usage: all that the provider is to learn. Kept until it has been sent.
   * @throws EnclaveError `LEDGER_STATEMENT_NOT_DUE`
   */
  async statement(options?: CallOptions): Promise<string> {
    await this.#ready()
    const token = await this.#parts.enclave.statement(options)
    await this.#parts.records.keepStatement(token)
    return token
  }

  /** Checks all receipts and statements that are kept, license by license. */
  async verifyReceipts(): Promise<readonly VerifiedRecords[]> {
    const records = await this.#parts.records.read()
    return await Promise.all(records.map((it) => verifyRecords(it, this.header.authority)))
  }

  /** Ends the ledger's open block without loss, and the enclave. Calling it again does nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const { capsule, enclave, records, customer } = this.#parts
    try {
      const isActive = await this.#active?.then(
        () => true,
        () => false,
      )
      const statement = isActive === true ? await closeLedger(enclave) : null
      if (statement !== null) await records.keepStatement(statement)
    } finally {
      enclave.disconnect()
      await enclave.closed
      await records.close()
      await capsule.close()
      wipe(customer.privateKey)
    }
  }

  #service(service: string | ServiceClient | undefined): ServiceClient {
    const chosen = service ?? this.header.keyReleaseUrl
    if (chosen !== null) return typeof chosen === 'string' ? serviceClient(chosen) : chosen
    throw new ClientError('CLIENT_ARGUMENT_INVALID', 'the capsule names no service: give the URL of one', {
      field: 'service',
    })
  }

  async #assertMayActivate({ again = false }: ActivateOptions): Promise<void> {
    if (again || !(await this.isActivated())) return
    const detail = `${this.header.modelName} has a license in this state directory`
    throw new ClientError('CLIENT_ALREADY_ACTIVATED', detail, { field: 'state' })
  }

  /** The enclave checks it too, and is the one that counts; here, the reason reaches the user in words. */
  async #verifyChallenge(challenge: string): Promise<void> {
    const { authority, capsuleId } = this.header
    await verifyChallenge(challenge, { authority, capsuleId, nowMs: Date.now() })
  }

  /** The service gives the same response to the same request, so that sending it again grants nothing twice. */
  async #takeUp(service: ServiceClient, order: string | undefined): Promise<Activation | undefined> {
    const { records } = this.#parts
    const request = await records.waitingRequest()
    if (request === undefined) return undefined
    if (order !== undefined && order !== orderOfRequest(request)) return undefined
    try {
      return await this.#finish(await sendUntilAnswered(service, request))
    } catch (error) {
      if (!isSettled(error)) throw error
      await records.dropRequest()
      return undefined
    }
  }

  /** Something may have come between the end of an activation and the license's place in the records. */
  async #resumeUnkept(): Promise<Activation | undefined> {
    try {
      return await this.#keep(await this.#ready())
    } catch (error) {
      if (error instanceof ClientError && error.code === 'CLIENT_NOT_ACTIVATED') return undefined
      throw error
    }
  }

  async #finish(response: string): Promise<Activation> {
    const active = await this.#parts.enclave.finishActivation(response)
    this.#active = Promise.resolve(active)
    return await this.#keep(active)
  }

  async #keep(active: ActiveEnclave): Promise<Activation> {
    const { records } = this.#parts
    await records.keepLicense(active.license)
    await records.dropRequest()
    return activationOf(active)
  }

  #ready(): Promise<ActiveEnclave> {
    this.#active ??= this.#resume().catch((error: unknown) => {
      this.#active = undefined
      throw error
    })
    return this.#active
  }

  async #resume(): Promise<ActiveEnclave> {
    const { enclave, records } = this.#parts
    try {
      const active = await enclave.resume()
      // A crash may have come between the activation and the license's place in the records.
      await records.keepLicense(active.license)
      return active
    } catch (cause) {
      const isMissing = isMlCapsuleError(cause) && cause.code === 'ENCLAVE_RECORD_INVALID'
      if (!isMissing || (await this.isActivated())) throw cause
      const detail = `${this.header.modelName} has no license in this state directory`
      throw new ClientError('CLIENT_NOT_ACTIVATED', detail, { field: 'state', cause })
    }
  }
}

/** What an enclave says that has ended already; the call that met its end has told why. */
const endedCodes: ReadonlySet<string> = new Set([
  'ENCLAVE_DIED',
  'ENCLAVE_STOPPED',
  'BRIDGE_CLOSED',
  'LEDGER_STOPPED',
])

async function closeLedger(enclave: EnclavePort): Promise<string | null> {
  try {
    return await enclave.close()
  } catch (error) {
    if (isMlCapsuleError(error) && endedCodes.has(error.code)) return null
    throw error
  }
}

/** Whether an activation that failed so would fail for ever: not for want of a network, a disk or a living enclave. */
function isSettled(error: unknown): boolean {
  return isMlCapsuleError(error) && error.kind !== 'environment' && error.kind !== 'internal'
}

const attemptCount = 3

/**
 * Sends a request until the service has answered: the same request gets the same response, so that one that was lost on
 * its way back costs nothing.
 */
async function sendUntilAnswered(service: ServiceClient, request: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await service.activate(request)
    } catch (error) {
      const isLost = error instanceof ClientError && error.code === 'CLIENT_SERVICE_UNREACHABLE'
      if (!isLost || attempt === attemptCount) throw error
      await new Promise((resolve) => setTimeout(resolve, 500 * attempt))
    }
  }
}
