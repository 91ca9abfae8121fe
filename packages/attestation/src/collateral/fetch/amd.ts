// SPDX-License-Identifier: Apache-2.0
import { fromHex } from '@mlcapsule/crypto'
import { shownName } from '../names.ts'
import { type CollateralFetcher, unknownName } from './fetcher.ts'
import { answersOnce, below, type HttpOptions } from './http.ts'

/** AMD's Key Distribution Service. */
export const amdKdsUrl = 'https://kdsintf.amd.com'

export interface AmdFetcherOptions extends HttpOptions {
  readonly baseUrl: string
}

const vcekName = /^amd\/vcek\/(Milan|Genoa|Turin)\/([0-9a-f]{16}|[0-9a-f]{128})\/([0-9a-f]{16})$/
const signerName = /^amd\/(chain|crl)\/(vcek|vlek)\/(Milan|Genoa|Turin)$/

/** Where the bytes of TCB_VERSION lie, from the lowest on; Turin has its own order. */
const tcbBytes = {
  Milan: { blSPL: 0, teeSPL: 1, snpSPL: 6, ucodeSPL: 7 },
  Genoa: { blSPL: 0, teeSPL: 1, snpSPL: 6, ucodeSPL: 7 },
  Turin: { fmcSPL: 0, blSPL: 1, teeSPL: 2, snpSPL: 3, ucodeSPL: 7 },
} as const

function vcekUrl(baseUrl: string, product: keyof typeof tcbBytes, chipId: string, tcb: string): URL {
  const bytes = fromHex(tcb).reverse()
  const query = Object.entries(tcbBytes[product]).map(([name, at]) => [name, String(bytes[at])])
  // Chips of Turin are named by 8 bytes, which a report pads with zeros.
  const hardwareId = product === 'Turin' ? chipId.slice(0, 16) : chipId
  return below(baseUrl, `vcek/v1/${product}/${hardwareId}`, Object.fromEntries(query))
}

function urlOf(name: string, { baseUrl }: AmdFetcherOptions): URL {
  const [, product, chipId, tcb] = vcekName.exec(name) ?? []
  if (product !== undefined && chipId !== undefined && tcb !== undefined) {
    return vcekUrl(baseUrl, product as keyof typeof tcbBytes, chipId, tcb)
  }
  const [, what, signer, signerProduct] = signerName.exec(name) ?? []
  if (what === undefined) throw unknownName(name)
  return below(baseUrl, `${signer}/v1/${signerProduct}/${what === 'chain' ? 'cert_chain' : 'crl'}`)
}

/**
 * Gets `amd/vcek/<product>/<chip id>/<TCB_VERSION, 16 hex digits of the 64-bit number>` (DER),
 * `amd/chain/<vcek|vlek>/<product>` (PEM) and `amd/crl/<vcek|vlek>/<product>` (DER). Every address is asked once.
 * @see AMD 57230, VCEK Certificate and KDS Interface Specification, §4
 */
export function amdFetcher(options: AmdFetcherOptions): CollateralFetcher {
  const get = answersOnce(options)
  return {
    async fetch(name) {
      return (await get(urlOf(name, options), shownName(name))).body
    },
  }
}
