// SPDX-License-Identifier: Apache-2.0
import { fromHex, utf8Bytes } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { shownName } from '../names.ts'
import { type CollateralFetcher, unknownName } from './fetcher.ts'
import { answersOnce, below, type HttpAnswer, type HttpOptions } from './http.ts'

/** Intel's Provisioning Certification Service, API version 4. */
export const intelPcsUrl = 'https://api.trustedservices.intel.com'
/** Where Intel publishes the list of its root; the service itself does not serve it, a PCCS does. */
export const intelRootCrlUrl = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'

export interface IntelFetcherOptions extends HttpOptions {
  /** Of the service or of a caching one (PCCS), without `/sgx/certification/v4`. */
  readonly baseUrl: string
  /** Where the root's list lies; `rootcacrl` of the base, as a PCCS has it, when absent. */
  readonly rootCrlUrl?: string
}

const tcbName = /^intel\/(sgx|tdx)\/tcb\/([0-9a-f]{12})(\/issuer-chain)?$/
const identityName = /^intel\/(sgx|tdx)\/qe-identity(\/issuer-chain)?$/
const pckCrlName = /^intel\/pck-crl\/(processor|platform)$/

interface Source {
  readonly url: URL
  read(answer: HttpAnswer): Uint8Array
}

function sourceOf(name: string, { baseUrl, rootCrlUrl }: IntelFetcherOptions): Source {
  const at = (path: string, query = {}) => below(baseUrl, path, query)
  const [, tcbOf, fmspc, tcbChain] = tcbName.exec(name) ?? []
  if (tcbOf !== undefined && fmspc !== undefined) {
    const url = at(`${tcbOf}/certification/v4/tcb`, { fmspc })
    return { url, read: bodyOr(tcbChain, 'TCB-Info-Issuer-Chain') }
  }
  const [, identityOf, identityChain] = identityName.exec(name) ?? []
  if (identityOf !== undefined) {
    const url = at(`${identityOf}/certification/v4/qe/identity`)
    return { url, read: bodyOr(identityChain, 'SGX-Enclave-Identity-Issuer-Chain') }
  }
  const [, ca] = pckCrlName.exec(name) ?? []
  if (ca !== undefined) {
    return { url: at('sgx/certification/v4/pckcrl', { ca, encoding: 'der' }), read: readCrl }
  }
  if (name !== 'intel/root-crl') throw unknownName(name)
  const url = rootCrlUrl === undefined ? at('sgx/certification/v4/rootcacrl') : new URL(rootCrlUrl)
  return { url, read: readCrl }
}

function bodyOr(isChain: string | undefined, header: string): (answer: HttpAnswer) => Uint8Array {
  return (answer) => (isChain === undefined ? answer.body : readChain(answer, header))
}

function invalid(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_COLLATERAL_INVALID', detail, { field: 'collateral', cause })
}

function readChain(answer: HttpAnswer, header: string): Uint8Array {
  const value = answer.header(header)
  if (value === null) throw invalid(`the answer has no header ${header}`)
  try {
    return utf8Bytes(decodeURIComponent(value))
  } catch (cause) {
    throw invalid(`the header ${header} is not URL-encoded`, cause)
  }
}

/** DER, which some caching services send as hex. */
function readCrl({ body }: HttpAnswer): Uint8Array {
  if (body[0] === 0x30) return body
  try {
    return fromHex(new TextDecoder().decode(body).trim().toLowerCase())
  } catch (cause) {
    throw invalid('a list of revoked certificates is neither DER nor hex', cause)
  }
}

/**
 * Gets `intel/<sgx|tdx>/tcb/<fmspc>` and `intel/<sgx|tdx>/qe-identity`, the answer's body, each with `/issuer-chain`, the
 * decoded header of the same answer; `intel/pck-crl/<processor|platform>` and `intel/root-crl`. Every address is asked
 * once: make another fetcher for newer answers.
 * @see Intel SGX and TDX Provisioning Certification Service API, version 4
 */
export function intelFetcher(options: IntelFetcherOptions): CollateralFetcher {
  const get = answersOnce(options)
  return {
    async fetch(name) {
      const { url, read } = sourceOf(name, options)
      return read(await get(url, shownName(name)))
    },
  }
}
