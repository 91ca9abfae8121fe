// SPDX-License-Identifier: Apache-2.0
import type { Provider } from './provider.ts'

/** The acts that a tool may ask of the running service, by name. */
export const providerCalls = [
  'registerCapsule',
  'listCapsules',
  'createOrder',
  'listOrders',
  'listLicenses',
  'findLicenseToken',
  'issueChallenge',
  'activate',
  'acceptStatement',
] as const satisfies readonly (keyof Provider)[]

export type ProviderCall = (typeof providerCalls)[number]

export function isProviderCall(name: string): name is ProviderCall {
  return (providerCalls as readonly string[]).includes(name)
}
