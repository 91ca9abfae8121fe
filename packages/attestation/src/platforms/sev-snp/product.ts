// SPDX-License-Identifier: Apache-2.0

/** Lines of processors, each with a root of its own. */
export const sevSnpProducts = ['Milan', 'Genoa', 'Turin'] as const
export type SevSnpProduct = (typeof sevSnpProducts)[number]

/** Which key of the platform signs reports: that of the chip, or one that AMD leases to the owner of a cloud. */
export type EndorsementKeyKind = 'vcek' | 'vlek'

/**
 * SHA-256 of the SubjectPublicKeyInfo of AMD's root keys.
 * @see AMD KDS, https://kdsintf.amd.com/vcek/v1/{product}/cert_chain
 */
export const amdRootKeys: Readonly<Record<SevSnpProduct, readonly string[]>> = {
  Milan: ['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'],
  Genoa: ['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'],
  Turin: ['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'],
}

/** CPUID Fn0000_0001: family and model with their extensions added, as reports of version 3 and later hold them. */
export interface CpuId {
  readonly family: number
  readonly model: number
  readonly stepping: number
}

/** Families and ranges of models. Bergamo and Siena are of Genoa's line. */
const models: readonly (readonly [family: number, from: number, to: number, SevSnpProduct])[] = [
  [0x19, 0x00, 0x0f, 'Milan'],
  [0x19, 0x10, 0x1f, 'Genoa'],
  [0x19, 0xa0, 0xaf, 'Genoa'],
  [0x1a, 0x00, 0x11, 'Turin'],
]

/** Null for a processor that is not known: there is no default. */
export function productOfCpuId({ family, model }: CpuId): SevSnpProduct | null {
  return models.find(([its, from, to]) => its === family && model >= from && model <= to)?.[3] ?? null
}

/** Product in the certificate of an endorsement key, before the stepping: `Milan-B0`. */
const productNames: Readonly<Record<string, SevSnpProduct>> = {
  Milan: 'Milan',
  Genoa: 'Genoa',
  Bergamo: 'Genoa',
  Siena: 'Genoa',
  Turin: 'Turin',
}

export function productOfName(name: string): SevSnpProduct | null {
  const [line = ''] = name.split('-')
  return Object.hasOwn(productNames, line) ? (productNames[line] as SevSnpProduct) : null
}

/** Common names of a chain: of the leaf, of the authority that issues it, and of the root. */
export function chainNames(
  product: SevSnpProduct,
  kind: EndorsementKeyKind,
): readonly [leaf: string, authority: string, root: string] {
  return kind === 'vcek'
    ? ['SEV-VCEK', `SEV-${product}`, `ARK-${product}`]
    : ['SEV-VLEK', `SEV-VLEK-${product}`, `ARK-${product}`]
}

/** Product whose authority for such keys has this common name. */
export function productOfAuthority(commonName: string, kind: EndorsementKeyKind): SevSnpProduct | null {
  return sevSnpProducts.find((it) => chainNames(it, kind)[1] === commonName) ?? null
}
