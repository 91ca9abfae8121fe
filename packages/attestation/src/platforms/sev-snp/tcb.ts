// SPDX-License-Identifier: Apache-2.0
import type { SevSnpProduct } from './product.ts'

/** Security version numbers of the parts of the platform's firmware, 0 to 255 each. */
export interface SevSnpTcb {
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
  /** Of Turin and later; null before. */
  readonly fmc: number | null
}

/** A part, or a byte that certificates give a number of its own though it stands for none yet. */
export type TcbPart = keyof SevSnpTcb | 'spl4' | 'spl5' | 'spl6' | 'spl7'

const beforeTurin: readonly TcbPart[] = [
  'bootloader',
  'tee',
  'spl4',
  'spl5',
  'spl6',
  'spl7',
  'snp',
  'microcode',
]

/**
 * What each byte of a TCB_VERSION is, from the lowest; null for those that are zero. The order depends on the product.
 * @see AMD 56860, TCB_VERSION
 */
export const tcbOrder: Readonly<Record<SevSnpProduct, readonly (TcbPart | null)[]>> = {
  Milan: beforeTurin,
  Genoa: beforeTurin,
  Turin: ['fmc', 'bootloader', 'tee', 'snp', null, null, null, 'microcode'],
}

export function tcbByte(tcb: bigint, at: number): number {
  return Number((tcb >> BigInt(8 * at)) & 0xffn)
}

export function decodeTcb(tcb: bigint, product: SevSnpProduct): SevSnpTcb {
  const order = tcbOrder[product]
  const part = (name: TcbPart) => tcbByte(tcb, order.indexOf(name))
  return {
    bootloader: part('bootloader'),
    tee: part('tee'),
    snp: part('snp'),
    microcode: part('microcode'),
    fmc: order.includes('fmc') ? part('fmc') : null,
  }
}

/** Whether no part is below that of the other; a part that this platform lacks is below every number. */
export function tcbAtLeast(tcb: SevSnpTcb, least: SevSnpTcb): boolean {
  return (
    tcb.bootloader >= least.bootloader &&
    tcb.tee >= least.tee &&
    tcb.snp >= least.snp &&
    tcb.microcode >= least.microcode &&
    (least.fmc === null || (tcb.fmc !== null && tcb.fmc >= least.fmc))
  )
}

/** As the vendor's addresses and the names of collateral hold it: 16 hex digits of the number. */
export function tcbHex(tcb: bigint): string {
  return tcb.toString(16).padStart(16, '0')
}
